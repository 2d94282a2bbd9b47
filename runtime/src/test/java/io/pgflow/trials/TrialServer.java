package io.pgflow.trials;

import io.pgflow.TestFlows;
import io.pgflow.sql.Schema;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import org.postgresql.ds.PGSimpleDataSource;

/** A PostgreSQL server of a trial's own, with durable settings, that can be crashed and started again where it was. */
final class TrialServer implements AutoCloseable {

    private final Path directory;
    private EmbeddedPostgres server;

    /** Starts it, with pgflow's schema in its only database. */
    TrialServer() throws IOException {
        directory = Files.createTempDirectory("trial-server");
        server = start(0);
        Schema.migrate(database());
    }

    private EmbeddedPostgres start(int port) throws IOException {
        return EmbeddedPostgres.builder()
                .setPort(port)
                .setDataDirectory(directory)
                .setCleanDataDirectory(false)
                .setRegisterShutdownHook(true)
                .setServerConfig("max_connections", "100")
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                .setPGStartupWait(Duration.ofMinutes(2))
                .start();
    }

    PGSimpleDataSource database() {
        return (PGSimpleDataSource) server.getPostgresDatabase();
    }

    /** Stops it at once, as {@code pg_ctl stop -m immediate} does: nothing is finished, nobody is told. */
    void crash() throws IOException, InterruptedException {
        var postmaster = ProcessHandle.of(Long.parseLong(Files.readAllLines(directory.resolve("postmaster.pid"))
                        .getFirst()
                        .strip()))
                .orElseThrow();
        new ProcessBuilder("kill", "-QUIT", Long.toString(postmaster.pid()))
                .inheritIO()
                .start()
                .waitFor();
        postmaster
                .onExit()
                .orTimeout(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS)
                .join();
        server.close(); // it knows nothing of this, and holds a lock on the directory
    }

    /** Starts it again, after a crash, on the same port. */
    void restart() throws IOException {
        server = start(server.getPort());
    }

    @Override
    public void close() throws IOException {
        server.close();
        try (var files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
