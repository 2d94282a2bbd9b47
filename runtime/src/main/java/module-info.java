/** PgFlow's runtime: flow definitions, the client and the worker. */
@SuppressWarnings("requires-transitive-automatic") // Micrometer has no descriptor
module io.pgflow {
    requires com.zaxxer.hikari;
    requires io.pgflow.sql;
    requires transitive java.sql;
    requires transitive org.jooq;
    requires static transitive org.jspecify;
    requires static jakarta.xml.bind;
    requires static org.checkerframework.checker.qual;
    requires static transitive micrometer.core; // for those who want meters
    requires org.postgresql.jdbc;
    requires org.slf4j;
    requires jdk.unsupported; // sun.misc.Signal: a second signal skips the grace
    requires tools.jackson.core;
    requires transitive tools.jackson.databind;
    requires static embedded.postgres; // the database of programs that name none, where it is on the path
    requires static org.apache.commons.compress;
    requires static org.tukaani.xz;

    exports io.pgflow;
    // for the driver, which makes PromptSockets by its name
    exports io.pgflow.internal to
            org.postgresql.jdbc;
}
