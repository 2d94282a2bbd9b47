package io.pgflow.testing;

import io.pgflow.sql.Schema;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.postgresql.ds.PGSimpleDataSource;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/** The PostgreSQL server that this JVM's tests use, and the databases they make on it. Started once, stopped at the end. */
final class TestServer implements AutoCloseable {
    private static final String MAX_CONNECTIONS = "300";

    private final String url;
    private final Closeable server;
    private final String prefix = "pgflow_test_" + UUID.randomUUID().toString().substring(0, 8) + "_";
    private final AtomicInteger made = new AtomicInteger();
    private final String template = prefix + "template";

    private TestServer(String url, Closeable server) {
        this.url = url;
        this.server = server;
    }

    /** Where {@code PGFLOW_TEST_DATABASE} says: see {@link TestDatabases}. */
    static TestServer start() {
        var where = System.getenv().getOrDefault("PGFLOW_TEST_DATABASE", "embedded");
        var test = where.startsWith("jdbc:")
                ? new TestServer(where, () -> {})
                : switch (where.split(":", 2)[0]) {
                    case "embedded" -> embedded(where.contains(":") ? where.split(":", 2)[1] : "");
                    case "testcontainers" -> container(where.contains(":") ? where.split(":", 2)[1] : "postgres:18");
                    default ->
                        throw new IllegalArgumentException(
                                "PGFLOW_TEST_DATABASE is '" + where
                                        + "': make it embedded, embedded:15 (or 16, 17), testcontainers, testcontainers:IMAGE or a URL that begins with jdbc:postgresql:");
                };
        test.execute("create database " + test.template);
        Schema.migrate(test.database(test.template));
        return test;
    }

    /** The build puts the binaries on the class path: of another major version by a profile, which the environment variable activates. */
    private static TestServer embedded(String major) {
        try {
            var postgres = EmbeddedPostgres.builder()
                    .setServerConfig("max_connections", MAX_CONNECTIONS)
                    .setPGStartupWait(Duration.ofMinutes(2))
                    .start();
            var server = new TestServer(postgres.getJdbcUrl("postgres", "postgres"), postgres);
            var version = Schema.describe(server.database("postgres")).server();
            if (!version.startsWith(major)) {
                postgres.close();
                throw new IllegalStateException("PGFLOW_TEST_DATABASE is 'embedded:" + major
                        + "', but the binaries on the class path are of PostgreSQL " + version
                        + ": run the tests by ./mvnw, whose profiles know 15, 16 and 17");
            }
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException("the embedded PostgreSQL did not start", e);
        }
    }

    private static TestServer container(String image) {
        var postgres = new PostgreSQLContainer(DockerImageName.parse(image).asCompatibleSubstituteFor("postgres"));
        postgres.setCommand("postgres", "-c", "fsync=off", "-c", "max_connections=" + MAX_CONNECTIONS);
        postgres.start();
        postgres.withUrlParam("user", postgres.getUsername()).withUrlParam("password", postgres.getPassword());
        return new TestServer(postgres.getJdbcUrl(), postgres::close);
    }

    /** A new database: empty, or a copy of one that {@link Schema} has migrated. */
    TestDatabase create(boolean empty) {
        var name = prefix + made.incrementAndGet();
        execute("create database " + name + (empty ? "" : " template " + template));
        return new TestDatabase(database(name), () -> drop(name));
    }

    /** Closing it drops the database, whoever is still connected. */
    record TestDatabase(PGSimpleDataSource dataSource, Runnable drop) implements AutoCloseable {
        @Override
        public void close() {
            drop.run();
        }
    }

    private void drop(String name) {
        execute("drop database " + name + " with (force)");
    }

    private PGSimpleDataSource database(String name) {
        var dataSource = new PGSimpleDataSource();
        dataSource.setUrl(url);
        dataSource.setDatabaseName(name);
        return dataSource;
    }

    private void execute(String sql) {
        var admin = new PGSimpleDataSource();
        admin.setUrl(url);
        try (var connection = admin.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql + " failed on " + admin.getURL(), e);
        }
    }

    @Override
    public void close() throws IOException {
        drop(template);
        server.close();
    }
}
