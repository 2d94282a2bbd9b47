/** Installs and upgrades PgFlow's schema, by plain JDBC: start at {@link io.pgflow.sql.Schema}. */
@NullMarked
package io.pgflow.sql;

import org.jspecify.annotations.NullMarked;
