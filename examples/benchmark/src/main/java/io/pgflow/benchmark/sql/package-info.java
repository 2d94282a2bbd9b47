/** What the SQL functions can do, driven by bare JDBC. */
@NullMarked
package io.pgflow.benchmark.sql;

import org.jspecify.annotations.NullMarked;
