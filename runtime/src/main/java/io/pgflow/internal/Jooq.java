package io.pgflow.internal;

import java.sql.Connection;
import java.time.Instant;
import java.time.OffsetDateTime;
import javax.sql.DataSource;
import org.jooq.ConnectionProvider;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.Query;
import org.jooq.SQLDialect;
import org.jooq.conf.Settings;
import org.jooq.impl.DSL;
import org.jooq.impl.DefaultConfiguration;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/** jOOQ for PostgreSQL. By setters: {@code DSL.using} has the compiler look for annotations that jOOQ leaves out. */
final class Jooq {

    private Jooq() {}

    /** On one connection. */
    static DSLContext on(Connection connection) {
        var configuration = postgres();
        configuration.setConnection(connection);
        return configuration.dsl();
    }

    /** On a connection of the pool for each statement or transaction, in auto-commit mode whatever the pool's is. */
    static DSLContext on(DataSource dataSource) {
        return on(new AutoCommit(dataSource));
    }

    /** On whatever connection somebody gives. */
    static DSLContext on(ConnectionProvider connections) {
        var configuration = postgres();
        configuration.setConnectionProvider(connections);
        return configuration.dsl();
    }

    /** The text of a query, with a question mark for each parameter. */
    static String sql(Query query) {
        return postgres().dsl().render(query);
    }

    /** The text of a JSON column; null for SQL's null, which is not JSON's. */
    static Field<@Nullable String> text(Field<JSONB> column) {
        return column.convertFrom(json -> json == null ? null : json.data());
    }

    /** The moment in a column; null for SQL's null. */
    static Field<@Nullable Instant> instant(Field<OffsetDateTime> column) {
        return column.convertFrom(time -> time == null ? null : time.toInstant());
    }

    /** Wakes whoever listens to the channel. */
    static void announce(DSLContext db, String channel) {
        db.select(DSL.function("pg_notify", SQLDataType.CLOB, DSL.val(channel), DSL.val("")))
                .fetch();
    }

    /** Listens to the channel from now on. As text: jOOQ has no LISTEN. */
    static void listen(DSLContext db, String channel) {
        db.execute("listen {0}", DSL.name(channel));
    }

    /** Listens to nothing any more. As text: jOOQ has no UNLISTEN. */
    static void unlisten(DSLContext db) {
        db.execute("unlisten *");
    }

    private static DefaultConfiguration postgres() {
        var configuration = new DefaultConfiguration();
        configuration.setSQLDialect(SQLDialect.POSTGRES);
        // at DEBUG it would log the values of parameters, which are users' data
        configuration.setSettings(new Settings().withExecuteLogging(false));
        return configuration;
    }
}
