package io.pgflow.sql;

import io.pgflow.sql.SchemaReport.Absent;
import io.pgflow.sql.SchemaReport.Facility;
import io.pgflow.sql.SchemaReport.Foreign;
import io.pgflow.sql.SchemaReport.Installed;
import io.pgflow.sql.SchemaReport.Pgflow;
import io.pgflow.sql.SchemaReport.Standing;
import io.pgflow.sql.SchemaReport.Unreadable;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Looks what is in a database: by the catalogs, which takes no rights on what is looked for. */
final class Inspection {
    /** No row where there is no schema pgflow. It is ours if it has our history, which may not be for this user to read. */
    private static final String PGFLOW = """
            select
              h.oid is not null as ours,
              has_schema_privilege(n.oid, 'usage') and has_table_privilege(h.oid, 'select') as readable
            from pg_catalog.pg_namespace n
            left join pg_catalog.pg_class h on h.relnamespace = n.oid and h.relname = 'schema_history'
            where n.nspname = 'pgflow'
            """;

    /** One row. */
    private static final String SURROUNDINGS = """
            select
              current_setting('server_version') as server,
              current_database() as database,
              current_user as user,
              (
                select a.default_version
                from pg_catalog.pg_available_extensions a
                where a.name = 'pgmq'
                  and a.installed_version is null
              ) as offered_pgmq,
              exists (
                select
                from pg_catalog.pg_proc p
                where p.pronamespace = to_regnamespace('realtime')
                  and p.proname = 'send'
                  and pg_catalog.oidvectortypes(p.proargtypes) = 'jsonb, text, text, boolean'
              ) as realtime,
              exists (
                select from pg_catalog.pg_class c where c.relnamespace = to_regnamespace('cron') and c.relname = 'job'
              ) as cron,
              exists (
                select from pg_catalog.pg_proc p where p.pronamespace = to_regnamespace('net') and p.proname = 'http_post'
              ) as net,
              exists (
                select from pg_catalog.pg_class c where c.relnamespace = to_regnamespace('vault') and c.relname = 'decrypted_secrets'
              ) as vault
            """;

    private Inspection() {}

    static SchemaReport of(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(SURROUNDINGS)) {
            row.next();
            return new SchemaReport(
                    row.getString("server").split(" ", 2)[0],
                    row.getString("database"),
                    row.getString("user"),
                    pgflow(connection),
                    InstalledPgmq.find(connection),
                    Optional.ofNullable(row.getString("offered_pgmq")),
                    facilities(row));
        }
    }

    static Pgflow pgflow(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(PGFLOW)) {
            if (!row.next()) {
                return new Absent();
            }
            if (!row.getBoolean("ours")) {
                return new Foreign();
            }
            return row.getBoolean("readable") ? installed(connection) : new Unreadable();
        }
    }

    private static Installed installed(Connection connection) throws SQLException {
        var files = SqlFiles.ofThisRelease();
        var history = History.read(connection);
        if (history.hasTablesUnknownTo(files)) {
            return new Installed(history.release(), Standing.TOO_NEW, List.of());
        }
        if (history.isNewerThan(files.release())) {
            return new Installed(history.release(), Standing.NEWER, List.of());
        }
        var outdated = history.outdated(files);
        return new Installed(history.release(), outdated.isEmpty() ? Standing.CURRENT : Standing.OUTDATED, outdated);
    }

    private static Set<Facility> facilities(ResultSet row) throws SQLException {
        var facilities = EnumSet.noneOf(Facility.class);
        for (var facility : Facility.values()) {
            if (row.getBoolean(facility.toString())) {
                facilities.add(facility);
            }
        }
        return facilities;
    }
}
