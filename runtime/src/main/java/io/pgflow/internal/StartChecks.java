package io.pgflow.internal;

import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.Flow;
import io.pgflow.PgflowException;
import io.pgflow.WorkerOptions.Compile;
import io.pgflow.sql.Migration;
import io.pgflow.sql.Schema;
import io.pgflow.sql.SchemaReport;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What must hold before workers can start; each breach is an error that says what to do. For the thread that starts them. */
final class StartChecks {

    private static final Logger log = LoggerFactory.getLogger(StartChecks.class);

    /** What workers execute, beside what a start executes itself. */
    private static final List<String> FUNCTIONS = List.of(
            "claim_tasks",
            "complete_tasks",
            "fail_tasks",
            "release_tasks",
            "release_lost_tasks",
            "recover_tasks",
            "next_message_delay",
            "heartbeat",
            "mark_worker_stopped");

    private final Database database;
    private final String user;

    /**
     * Connects.
     *
     * @throws PgflowException.DatabaseUnavailable if that does not work
     */
    StartChecks(Database database) {
        this.database = database;
        try (Connection connection = database.dataSource().getConnection()) {
            user = connection.getMetaData().getUserName();
        } catch (SQLException e) {
            throw new PgflowException.DatabaseUnavailable(database.describe(), e);
        }
    }

    /**
     * Looks whether this JVM can load the class that names the preview API.
     *
     * @throws PgflowException.UnsupportedJava if not
     */
    static void requireScopes() {
        try {
            Class.forName(StartChecks.class.getPackageName() + ".TaskScope");
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        } catch (UnsupportedClassVersionError e) {
            throw new PgflowException.UnsupportedJava(
                    unsupported(Runtime.version().feature(), String.valueOf(e.getMessage())), e);
        }
    }

    /** Why a JVM of a version cannot load it, by what it says. */
    static String unsupported(int java, String error) {
        if (java != 21 && java != 25) {
            return "Java %d is not supported: run on Java 21 or 25, with --enable-preview".formatted(java);
        }
        if (error.contains("--enable-preview")) {
            return "preview features are not enabled on this JVM, and workers need them (StructuredTaskScope is one): start it with"
                    + " --enable-preview, before -jar or the main class, or by JDK_JAVA_OPTIONS=--enable-preview";
        }
        return "this build of PgFlow is not for Java %d: use the one for both Java 21 and 25, or run it on the other"
                .formatted(java);
    }

    /**
     * Looks whether each flow can have a worker.
     *
     * @throws PgflowException.InvalidFlow if one is given twice
     * @throws PgflowException.InvalidOption if there is none, or one worker's id for several
     */
    static void requireDifferent(Work work) {
        var slugs = new HashSet<String>();
        for (Flow<?> flow : work.flows()) {
            if (!slugs.add(flow.slug())) {
                throw new PgflowException.InvalidFlow(flow.slug(), null, "is given twice; one worker serves it");
            }
        }
        if (slugs.isEmpty()) {
            throw new PgflowException.InvalidOption("flows", "none", "one or more");
        }
        var id = work.settings().workerId();
        if (slugs.size() > 1 && id.isPresent()) {
            throw new PgflowException.InvalidOption(
                    Options.WORKER_ID.toString(), id.get().toString(), "set for a single flow only");
        }
    }

    /**
     * Looks whether a pool whose size is known has connections enough.
     *
     * @throws PgflowException.PoolTooSmall if not
     */
    void requireConnections(int needed) {
        try {
            if (database.dataSource().isWrapperFor(HikariDataSource.class)) {
                int size = database.dataSource().unwrap(HikariDataSource.class).getMaximumPoolSize();
                if (size < needed) {
                    throw new PgflowException.PoolTooSmall(size, needed, null);
                }
            }
        } catch (SQLException e) {
            throw new PgflowException.DatabaseUnavailable(database.describe(), e);
        }
    }

    /**
     * Brings the schema up to date, or only looks whether it is.
     *
     * @return in which form it takes calls
     * @throws PgflowException.SchemaMismatch if it is not up to date and shall not be brought there, or lacks a function
     * @throws PgflowException.PermissionMissing if the user may not even look
     * @throws io.pgflow.sql.SchemaException if it cannot be used otherwise
     */
    Form requireSchema(Compile how) {
        if (how == Compile.VERIFY ? isForeign() : migrateSchema() == Migration.Outcome.FOREIGN) {
            Form form = Form.ofForeign(database.dataSource());
            log.info("{}", LogLine.of("schema_of_others").with("calls", form));
            return form;
        }
        requireFunctions();
        return Form.SETS;
    }

    /** Looks whose it is, and whether ours is up to date. */
    private boolean isForeign() {
        return switch (Schema.describe(database.dataSource()).pgflow()) {
            case SchemaReport.Absent absent -> throw outdated("none");
            case SchemaReport.Foreign foreign -> true;
            case SchemaReport.Unreadable unreadable ->
                throw new PgflowException.PermissionMissing("permission denied for schema pgflow", user, null);
            case SchemaReport.Installed installed ->
                switch (installed.standing()) {
                    case CURRENT, NEWER -> false;
                    case OUTDATED -> throw outdated("one that is older (" + installed + ")");
                    case TOO_NEW ->
                        throw new PgflowException.SchemaMismatch(
                                "one that is newer (" + installed + ")",
                                "that of this release",
                                "Use the release that it is of, or a newer one.");
                };
        };
    }

    private static PgflowException outdated(String found) {
        return new PgflowException.SchemaMismatch(
                found,
                "that of this release, and option compile is 'verify'",
                "Bring it up to date by Schema.migrate, or have it done by setting compile to 'missing'.");
    }

    private Migration.Outcome migrateSchema() {
        Migration migration = Schema.migrate(database.dataSource());
        switch (migration.outcome()) {
            case INSTALLED, UPGRADED -> log.info("{}", line(migration));
            case UNCHANGED, NEWER, FOREIGN -> log.debug("{}", line(migration));
        }
        return migration.outcome();
    }

    private static LogLine line(Migration migration) {
        return LogLine.of("schema_checked").with("outcome", migration.outcome()).with("pgmq", migration.pgmq());
    }

    /**
     * Looks whether the functions are there, and may be executed. As text: classes are generated from our schemas, not from the catalogs.
     *
     * @throws PgflowException.SchemaMismatch if one is missing
     * @throws PgflowException.PermissionMissing if one may not be executed
     */
    private void requireFunctions() {
        var db = Jooq.on(database.dataSource());
        for (var row : db.fetch(
                "select name, p.oid is not null as found, has_function_privilege(p.oid, 'execute') as allowed"
                        + " from unnest({0}) name left join pg_catalog.pg_proc p"
                        + " on p.proname = name and p.pronamespace = to_regnamespace('pgflow')",
                org.jooq.impl.DSL.val(FUNCTIONS.toArray(String[]::new)))) {
            String function = "function pgflow." + row.get("name");
            if (!row.get("found", boolean.class)) {
                throw new PgflowException.SchemaMismatch(
                        "no " + function, "all of this release's", "Have it installed again: see sql/README.md.");
            }
            if (!row.get("allowed", boolean.class)) {
                throw new PgflowException.PermissionMissing("permission denied for " + function, user, null);
            }
        }
    }

    /** What an error of the database means for a start that wanted to do something. */
    PgflowException explained(DataAccessException e, String what) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        String state = e.sqlState();
        if (state.equals("42501")) {
            return new PgflowException.PermissionMissing(String.valueOf(cause.getMessage()), user, e);
        }
        boolean away = SqlErrors.spoilsConnection(e) || state.startsWith("53") || cause.equals(e);
        return away
                ? new PgflowException.DatabaseUnavailable(database.describe(), cause)
                : new PgflowException.DatabaseRefused(database.describe(), what, cause);
    }
}
