package io.pgflow.sql;

import io.pgflow.sql.SqlFiles.SqlFile;
import java.lang.module.ModuleDescriptor.Version;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/** What has been applied to a database, as {@code pgflow.schema_history} had it when this was read. */
final class History {
    private record Entry(String checksum, Version release) {}

    private final Connection connection;
    private final Map<String, Entry> entries;

    private History(Connection connection, Map<String, Entry> entries) {
        this.connection = connection;
        this.entries = entries;
    }

    static History read(Connection connection) throws SQLException {
        var entries = new HashMap<String, Entry>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("select file, checksum, release from pgflow.schema_history")) {
            while (rows.next()) {
                entries.put(rows.getString(1), new Entry(rows.getString(2), Version.parse(rows.getString(3))));
            }
        }
        return new History(connection, entries);
    }

    /** A table that this release does not know may hold what it would break; an unknown function is merely not called. */
    void refuseTablesUnknownTo(SqlFiles files) {
        for (var name : entries.keySet()) {
            if (SqlFile.isTable(name)
                    && files.tables().stream().noneMatch(file -> file.name().equals(name))) {
                throw new SchemaException("schema pgflow is newer than this program: release "
                        + entries.get(name).release() + " applied " + name + ", which release " + files.release()
                        + " does not know. Deploy that release or a newer one");
            }
        }
    }

    boolean isNewerThan(Version release) {
        return entries.values().stream().anyMatch(entry -> entry.release().compareTo(release) > 0);
    }

    /** Whether the file has been applied as it is now. */
    boolean has(SqlFile file) {
        var entry = entries.get(file.name());
        return entry != null && entry.checksum().equals(file.checksum());
    }

    /** The same for a table migration, which cannot be applied a second time. */
    boolean hasTable(SqlFile file) {
        var entry = entries.get(file.name());
        if (entry != null && !entry.checksum().equals(file.checksum())) {
            throw new SchemaException(file.name() + " has been edited since release " + entry.release()
                    + " applied it. Restore the file and write the change as a new migration; or, if nothing in this database is needed,"
                    + " drop schema pgflow");
        }
        return entry != null;
    }

    /** Records that the file has been applied as it is now. */
    void add(SqlFile file, Version release) throws SQLException {
        try (var insert = connection.prepareStatement(
                "insert into pgflow.schema_history (file, checksum, release) values (?, ?, ?)"
                        + " on conflict (file) do update set checksum = excluded.checksum, release = excluded.release, installed_at = now()")) {
            insert.setString(1, file.name());
            insert.setString(2, file.checksum());
            insert.setString(3, release.toString());
            insert.executeUpdate();
        }
    }

    /** Notes on all files that this release has them so, which keeps older releases from replacing them. Writes only where that is news. */
    void claim(Version release) throws SQLException {
        if (entries.values().stream().allMatch(entry -> entry.release().equals(release))) {
            return;
        }
        try (var update =
                connection.prepareStatement("update pgflow.schema_history set release = ? where release <> ?")) {
            update.setString(1, release.toString());
            update.setString(2, release.toString());
            update.executeUpdate();
        }
    }
}
