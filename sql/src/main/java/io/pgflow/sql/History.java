package io.pgflow.sql;

import static java.util.Objects.requireNonNull;

import io.pgflow.sql.SqlFiles.SqlFile;
import java.lang.module.ModuleDescriptor.Version;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

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
        tablesUnknownTo(files).findFirst().ifPresent(name -> {
            throw new SchemaException("schema pgflow is newer than this program: release "
                    + requireNonNull(entries.get(name)).release() + " applied " + name + ", which release "
                    + files.release() + " does not know. Deploy that release or a newer one");
        });
    }

    boolean hasTablesUnknownTo(SqlFiles files) {
        return tablesUnknownTo(files).findFirst().isPresent();
    }

    private Stream<String> tablesUnknownTo(SqlFiles files) {
        return entries.keySet().stream()
                .filter(SqlFile::isTable)
                .filter(name ->
                        files.tables().stream().noneMatch(file -> file.name().equals(name)));
    }

    boolean isNewerThan(Version release) {
        return entries.values().stream().anyMatch(entry -> entry.release().compareTo(release) > 0);
    }

    /** The newest release that applied something. */
    String release() {
        return entries.values().stream()
                .map(Entry::release)
                .max(Comparator.naturalOrder())
                .map(Version::toString)
                .orElse("unknown");
    }

    /** The names of the files that have not been applied as they are now; not of our pgmq where another is used. */
    List<String> outdated(SqlFiles files) {
        return Stream.of(List.of(files.pgmq()), files.tables(), files.functions())
                .flatMap(List::stream)
                .filter(file -> !has(file) && (!file.equals(files.pgmq()) || entries.containsKey(file.name())))
                .map(SqlFile::name)
                .toList();
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
        if (entries.values().stream().allMatch(entry -> entry.release().equals(release)) || !mayChange()) {
            return;
        }
        try (var update =
                connection.prepareStatement("update pgflow.schema_history set release = ? where release <> ?")) {
            update.setString(1, release.toString());
            update.setString(2, release.toString());
            update.executeUpdate();
        }
    }

    /** A user who only works with the schema may not. */
    private boolean mayChange() throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("select has_table_privilege('pgflow.schema_history', 'update')")) {
            return row.next() && row.getBoolean(1);
        }
    }
}
