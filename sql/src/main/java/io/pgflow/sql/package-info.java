/** Installs and upgrades PgFlow's schema. Plain JDBC. */
@NullMarked
package io.pgflow.sql;

import org.jspecify.annotations.NullMarked;
