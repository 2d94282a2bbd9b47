package io.pgflow.benchmark;

import io.pgflow.sql.Schema;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.postgresql.ds.PGSimpleDataSource;

/** The PostgreSQL server that everything is measured on, and the databases in it. Any thread may call it. */
public final class Server implements AutoCloseable {
    private static final String TEMPLATE = "migrated";

    /** Durable; no checkpoint falls into a measurement, since {@link #checkpoint} is called before each. */
    static final Map<String, String> SETTINGS = settings();

    private final EmbeddedPostgres postgres;
    private final Database admin;

    private Server(EmbeddedPostgres postgres) {
        this.postgres = postgres;
        this.admin = database("postgres");
    }

    private static Map<String, String> settings() {
        var settings = new LinkedHashMap<String, String>();
        settings.put("fsync", "on");
        settings.put("full_page_writes", "on");
        settings.put("synchronous_commit", "on");
        settings.put("shared_buffers", "512MB");
        settings.put("max_wal_size", "8GB");
        settings.put("checkpoint_timeout", "1h");
        settings.put("max_connections", "300");
        settings.put("shared_preload_libraries", "pg_stat_statements");
        settings.put("listen_addresses", "127.0.0.1");
        return settings;
    }

    /**
     * Starts a new server.
     *
     * @param directory an empty one for its data
     */
    static Server start(Path directory) throws IOException {
        var builder = EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(directory.toFile())
                .setPGStartupWait(Duration.ofMinutes(2));
        SETTINGS.forEach(builder::setServerConfig);
        var server = new Server(builder.start());
        server.admin.run("create extension pg_stat_statements");
        server.admin.run("create database " + TEMPLATE);
        Schema.migrate(server.database(TEMPLATE).dataSource());
        return server;
    }

    /** A new database with nothing in it; closing it drops it. */
    public Database createEmpty(String name) {
        return create(name, "template1");
    }

    /** A new database with PgFlow's schema. */
    public Database create(String name) {
        return create(name, TEMPLATE);
    }

    private Database create(String name, String template) {
        admin.run("create database " + name + " template " + template);
        admin.run("checkpoint");
        return database(name);
    }

    /** Writes all that is in memory to disk, so that the server has not to do so during the next measurement. */
    public void checkpoint() {
        admin.run("checkpoint");
    }

    /** What the server says of itself. */
    String version() {
        return admin.text("select split_part(version(), ',', 1)");
    }

    /** How many statements clients have sent to a database so far. */
    public long statements(Database database) {
        return admin.number("""
                select coalesce(sum(s.calls), 0)
                from pg_stat_statements s
                join pg_database d on d.oid = s.dbid
                where d.datname = '%s'""".formatted(database.name()));
    }

    private Database database(String name) {
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(postgres.getJdbcUrl("postgres", name));
        dataSource.setReWriteBatchedInserts(true); // what all drivers of batches recommend, and nobody else notices
        return new Database(this, name, dataSource);
    }

    void drop(String name) {
        admin.run("drop database " + name + " with (force)");
    }

    /** The process id of the server's first process. */
    public long process() {
        return Long.parseLong(admin.text(
                "select split_part(pg_read_file(current_setting('data_directory') || '/postmaster.pid'), e'\\n', 1)"));
    }

    @Override
    public void close() throws IOException {
        postgres.close();
    }
}
