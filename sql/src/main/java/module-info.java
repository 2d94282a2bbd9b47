/** PgFlow's schema: what installs and upgrades it, and the jOOQ classes generated from it. */
module io.pgflow.sql {
    requires transitive java.sql;
    requires transitive org.jooq;
    requires static transitive org.jspecify;

    exports io.pgflow.sql;
    exports io.pgflow.sql.jooq;
    exports io.pgflow.sql.jooq.pgflow;
    exports io.pgflow.sql.jooq.pgflow.routines;
    exports io.pgflow.sql.jooq.pgflow.tables;
    exports io.pgflow.sql.jooq.pgflow.tables.records;
    exports io.pgflow.sql.jooq.pgflow.udt;
    exports io.pgflow.sql.jooq.pgflow.udt.paths;
    exports io.pgflow.sql.jooq.pgflow.udt.records;
    exports io.pgflow.sql.jooq.pgmq;
    exports io.pgflow.sql.jooq.pgmq.routines;
    exports io.pgflow.sql.jooq.pgmq.tables;
    exports io.pgflow.sql.jooq.pgmq.tables.records;
    exports io.pgflow.sql.jooq.pgmq.udt;
    exports io.pgflow.sql.jooq.pgmq.udt.paths;
    exports io.pgflow.sql.jooq.pgmq.udt.records;
}
