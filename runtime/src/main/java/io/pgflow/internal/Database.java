package io.pgflow.internal;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool.PoolInitializationException;
import io.pgflow.PgflowException;
import io.pgflow.sql.Schema;
import io.pgflow.sql.SchemaException;
import io.pgflow.sql.SchemaReport;
import io.pgflow.sql.SchemaReport.Absent;
import io.pgflow.sql.SchemaReport.Foreign;
import io.pgflow.sql.SchemaReport.Installed;
import io.pgflow.sql.SchemaReport.Unreadable;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The database that a program works on: one that it was given, one that a URL names, or the embedded one. Any thread may call it; whoever
 * opened it closes it, last of all.
 */
public final class Database implements AutoCloseable {
    /** How long to wait for a connection, of the pool or to the server. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final DataSource dataSource;
    private final String description;
    private final @Nullable HikariDataSource pool;
    private final @Nullable EmbeddedServer server;

    private Database(
            DataSource dataSource,
            String description,
            @Nullable HikariDataSource pool,
            @Nullable EmbeddedServer server) {
        this.dataSource = dataSource;
        this.description = description;
        this.pool = pool;
        this.server = server;
    }

    /** The program's own; {@link #close} leaves it open. Nothing is connected yet. */
    public static Database of(DataSource dataSource) {
        return new Database(dataSource, "the program's " + dataSource.getClass().getName(), null, null);
    }

    /**
     * Connects to the server of {@code url}, else to that of {@code PGFLOW_DATABASE_URL}, else to the embedded one.
     *
     * @param url {@code jdbc:postgresql://…} or {@code postgresql://…}; null to take the environment's, with
     *     {@code PGFLOW_DATABASE_USER} and {@code PGFLOW_DATABASE_PASSWORD}
     * @param user instead of the URL's or the environment's, unless null
     * @param password instead of the URL's or the environment's, unless null
     * @param connections how many there may be at once, at least 1
     * @param environment the variables to look in; one that is blank is not set
     * @param workingDirectory where the embedded server keeps its folder {@code .pgflow}
     * @throws PgflowException.InvalidOption if the URL or the number of connections is not one
     * @throws PgflowException.DatabaseUnavailable if the server cannot be reached within seconds, or refuses the user
     * @throws PgflowException.EmbeddedUnavailable if no URL is set and the embedded server cannot be used
     */
    public static Database open(
            @Nullable String url,
            @Nullable String user,
            @Nullable String password,
            int connections,
            Map<String, String> environment,
            Path workingDirectory) {
        if (connections < 1) {
            throw new PgflowException.InvalidOption("connections", Integer.toString(connections), "1 or more");
        }
        if (url != null) {
            return connect(DatabaseUrl.parse("url", url).as(user, password), connections, null);
        }
        var configured = variable(environment, "PGFLOW_DATABASE_URL");
        if (configured != null) {
            var target = DatabaseUrl.parse("PGFLOW_DATABASE_URL", configured)
                    .as(
                            variable(environment, "PGFLOW_DATABASE_USER"),
                            variable(environment, "PGFLOW_DATABASE_PASSWORD"))
                    .as(user, password);
            return connect(target, connections, null);
        }
        var server = EmbeddedServer.open(workingDirectory);
        try {
            return connect(server.url(), connections, server);
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private static Database connect(DatabaseUrl url, int connections, @Nullable EmbeddedServer server) {
        var config = new HikariConfig();
        config.setPoolName("pgflow");
        config.setDataSource(url.dataSource()); // knows user and password, so that the pool cannot log them
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(PATIENCE.toMillis());
        try {
            var pool = new HikariDataSource(config); // opens the first connection
            return new Database(pool, url.toString(), pool, server);
        } catch (PoolInitializationException e) {
            throw new PgflowException.DatabaseUnavailable(url.toString(), e.getCause() == null ? e : e.getCause());
        }
    }

    private static @Nullable String variable(Map<String, String> environment, String name) {
        var value = environment.get(name);
        return value == null || value.isBlank() ? null : value;
    }

    /** Gives connections in auto-commit mode; pooled unless it is the program's own. */
    public DataSource dataSource() {
        return dataSource;
    }

    /**
     * Looks whether the schema is there and fits this release; changes nothing.
     *
     * @return in which form it takes calls
     * @throws PgflowException.SchemaMismatch if not
     * @throws PgflowException.PermissionMissing if the user may not look
     * @throws PgflowException.DatabaseUnavailable if the database does not answer
     */
    public Form requireSchema() {
        SchemaReport found;
        try {
            found = Schema.describe(dataSource);
        } catch (SchemaException e) {
            throw new PgflowException.DatabaseUnavailable(description, e.getCause() == null ? e : e.getCause());
        }
        return switch (found.pgflow()) {
            case Absent() ->
                throw new PgflowException.SchemaMismatch(
                        "none", "one to work with", "Start a worker on this database, or call Schema.migrate.");
            case Foreign() -> Form.ofForeign(dataSource);
            case Unreadable() ->
                throw new PgflowException.PermissionMissing(
                        "role '" + found.user() + "' may not read schema pgflow", null);
            case Installed installed -> {
                yield switch (installed.standing()) {
                    case CURRENT, NEWER -> Form.SETS;
                    case OUTDATED ->
                        throw new PgflowException.SchemaMismatch(
                                installed.toString(),
                                "that of this release",
                                "Start a worker of this release on this database, or call Schema.migrate.");
                    case TOO_NEW ->
                        throw new PgflowException.SchemaMismatch(
                                installed.toString(),
                                "one that this release knows",
                                "Use release " + installed.release() + " or a newer one.");
                };
            }
        };
    }

    /**
     * Has a pool that is {@link #open}'s own open connections in the background, for those who will ask for them: it opens one at a time, with a pause after
     * each.
     */
    void fill(int connections) {
        if (pool != null) {
            Thread.ofPlatform().daemon().name("pgflow-connect").start(() -> fill(pool, connections));
        }
    }

    private static void fill(HikariDataSource pool, int connections) {
        if (connections == 0) {
            return;
        }
        try {
            Connection held = pool.getConnection();
            try {
                fill(pool, connections - 1);
            } finally {
                held.close();
            }
        } catch (SQLException e) {
            // whoever asks for one is told
        }
    }

    /** Where the database is, for messages and logs: the URL with its user, without password and parameters. */
    public String describe() {
        return description;
    }

    /** Whether nobody else can be at work in it: the embedded server is for one program at a time. */
    boolean exclusive() {
        return server != null;
    }

    /** Closes what {@link #open} opened: the pool, then the embedded server. Again does nothing. */
    @Override
    public void close() {
        try {
            if (pool != null) {
                pool.close();
            }
        } finally {
            if (server != null) {
                server.close();
            }
        }
    }
}
