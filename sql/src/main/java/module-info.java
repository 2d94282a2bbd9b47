/** PgFlow's schema: what installs and upgrades it. */
module io.pgflow.sql {
    requires transitive java.sql;
    requires static transitive org.jspecify;

    exports io.pgflow.sql;
}
