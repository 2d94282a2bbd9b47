package io.pgflow.sql;

import io.pgflow.sql.Migration.Outcome;
import io.pgflow.sql.Pgmq.Kind;
import io.pgflow.sql.SchemaReport.Absent;
import io.pgflow.sql.SchemaReport.Foreign;
import io.pgflow.sql.SchemaReport.Installed;
import io.pgflow.sql.SchemaReport.Pgflow;
import io.pgflow.sql.SchemaReport.Unreadable;
import io.pgflow.sql.SqlFiles.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * Brings a database to the schema of this release.
 *
 * <p>Table migrations (V001 and so on) are applied once each. A function file is applied whenever it differs from what was applied last. What
 * was applied is kept in the table {@code pgflow.schema_history}; a schema {@code pgflow} without that table was made by others and is not
 * touched. pgmq is the extension where the server offers it, else PgFlow's own.
 */
public final class Schema {
    private static final long LOCK = 0x7067666c6f77L; // "pgflow": held by whoever migrates the database

    private static final String NOT_ALLOWED = "42501";

    private final Connection connection;
    private final SqlFiles files = SqlFiles.ofThisRelease();
    private final List<String> applied = new ArrayList<>();

    private Schema(Connection connection) {
        this.connection = connection;
    }

    /**
     * Installs or upgrades the schema, in one transaction. Doing it again is harmless, and so is doing it in two processes at once: the
     * second waits for the first. Any thread may call it.
     *
     * @param dataSource a database whose user may create schemas in it, or in which the schema is up to date
     * @return what was found and done
     * @throws SchemaException if the database could not be reached or refused a file, if its schema is newer than this release, or if a table
     *     migration is not the one that was applied; nothing was changed then
     */
    public static Migration migrate(DataSource dataSource) {
        try (var connection = dataSource.getConnection()) {
            boolean autoCommit = connection.getAutoCommit(); // as it goes back to the pool
            connection.setAutoCommit(false);
            try {
                var migration = new Schema(connection).migrate();
                connection.commit();
                connection.setAutoCommit(autoCommit);
                return migration;
            } catch (SchemaException e) {
                rollBack(connection, autoCommit, e);
                throw e.found(inspect(connection));
            } catch (SQLException | RuntimeException e) {
                rollBack(connection, autoCommit, e);
                throw e;
            }
        } catch (SQLException e) {
            throw new SchemaException(
                    "PgFlow's schema could not be looked at or brought up to date: " + e.getMessage(), e);
        }
    }

    /**
     * Looks what is there, and changes nothing. It takes no rights but to connect. Any thread may call it.
     *
     * @param dataSource a database
     * @return what PgFlow would find there
     * @throws SchemaException if the database could not be reached
     */
    public static SchemaReport describe(DataSource dataSource) {
        try (var connection = dataSource.getConnection()) {
            return Inspection.of(connection);
        } catch (SQLException e) {
            throw new SchemaException("the database could not be looked at: " + e.getMessage(), e);
        }
    }

    private static Optional<SchemaReport> inspect(Connection connection) {
        try {
            return Optional.of(Inspection.of(connection));
        } catch (SQLException e) {
            return Optional.empty(); // the reason to look matters more
        }
    }

    private static void rollBack(Connection connection, boolean autoCommit, Exception reason) {
        try {
            connection.rollback();
            connection.setAutoCommit(autoCommit);
        } catch (SQLException e) {
            reason.addSuppressed(e); // the connection is broken, and the server rolls back by itself
        }
    }

    private Migration migrate() throws SQLException {
        execute("set transaction isolation level read committed"); // what others did while we waited for the lock must
        // be seen
        execute("select pg_advisory_xact_lock(" + LOCK + ")");
        execute("set local search_path to ''");
        execute("set local check_function_bodies to off"); // so that functions may come in any order

        var found = Inspection.pgflow(connection);
        switch (found) {
            case Absent() -> apply("schema_history.sql");
            case Foreign() -> {
                return new Migration(Outcome.FOREIGN, applied, pgmq());
            }
            case Unreadable() ->
                throw new SchemaException("user " + connection.getMetaData().getUserName()
                        + " may not use schema pgflow. Have its owner grant it: select pgflow.grant_worker('ROLE')");
            case Installed installed -> {}
        }
        var history = History.read(connection);
        history.refuseTablesUnknownTo(files);
        if (history.isNewerThan(files.release())) {
            return new Migration(Outcome.NEWER, applied, pgmq());
        }
        seeToPgmq(history);
        for (var file : files.tables()) {
            if (!history.hasTable(file)) {
                apply(file.name());
                record(file, history);
            }
        }
        for (var file : files.functions()) {
            if (!history.has(file)) {
                apply(file.name());
                record(file, history);
            }
        }
        if (!applied.isEmpty()) {
            execute("select pgflow.refresh_environment(), pgflow._refresh_privileges()");
        }
        history.claim(files.release());
        return new Migration(outcome(found), applied, pgmq());
    }

    private void seeToPgmq(History history) throws SQLException {
        var before = InstalledPgmq.find(connection);
        if (before.isPresent() && before.get().kind() == Kind.OURS && history.has(files.pgmq())) {
            return;
        }
        apply("pgmq/choose.sql"); // changes nothing in a pgmq that is not ours, but refuses one that is too old
        if (pgmq().kind() == Kind.OURS) {
            record(files.pgmq(), history);
        } else if (before.isEmpty()) {
            applied.add("extension pgmq");
        }
    }

    private Pgmq pgmq() throws SQLException {
        return InstalledPgmq.find(connection)
                .orElseThrow(
                        () -> new SchemaException(
                                "schema pgflow was made by others, and there is no schema pgmq, which it needs."
                                        + " Install the extension pgmq; or, if nothing in schema pgflow is needed, drop it and start again"));
    }

    private void record(SqlFile file, History history) throws SQLException {
        history.add(file, files.release());
        applied.add(file.name());
    }

    private Outcome outcome(Pgflow found) {
        if (found instanceof Absent) {
            return Outcome.INSTALLED;
        }
        return applied.isEmpty() ? Outcome.UNCHANGED : Outcome.UPGRADED;
    }

    private void apply(String file) {
        try {
            execute(SqlFiles.text(file));
        } catch (SQLException e) {
            throw new SchemaException(
                    "PgFlow's schema is as it was: the database refused " + file + " of release " + files.release()
                            + ": " + e.getMessage()
                            + (NOT_ALLOWED.equals(e.getSQLState())
                                    ? ". Have a user do it who may: the schema's owner, or one who may create schemas here,"
                                            + " by Schema.migrate or by starting a worker once"
                                    : ""),
                    e);
        }
    }

    private void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.setEscapeProcessing(false); // braces in SQL are SQL's
            statement.execute(sql);
        }
    }
}
