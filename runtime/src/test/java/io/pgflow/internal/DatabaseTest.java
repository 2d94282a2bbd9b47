package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.PgflowException.DatabaseUnavailable;
import io.pgflow.PgflowException.InvalidOption;
import io.pgflow.testing.TestDatabases;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.LoggerFactory;

@ExtendWith(TestDatabases.class)
@Timeout(60)
class DatabaseTest {
    private static final Path NOWHERE = Path.of("/dev/null");

    private final PGSimpleDataSource given;

    DatabaseTest(PGSimpleDataSource given) {
        this.given = given;
    }

    @Test
    void isTheOneThatTheUrlNames() throws SQLException {
        try (var database =
                open(urlWithoutUser(), given.getUser(), given.getPassword(), Map.of("PGFLOW_DATABASE_URL", "no URL"))) {
            assertThat(ask(database, "select current_database()")).isEqualTo(given.getDatabaseName());
            assertThat(ask(database, "select current_user")).isEqualTo(given.getUser());
            assertThat(ask(database, "show application_name")).isEqualTo("pgflow");
            assertThat(database.describe()).isEqualTo(urlWithoutUser() + "?user=" + given.getUser());
        }
    }

    @Test
    void isTheOneThatTheEnvironmentNamesWhereNoUrlIsGiven() throws SQLException {
        var environment = Map.of(
                "PGFLOW_DATABASE_URL", urlWithoutUser().replace("jdbc:", ""),
                "PGFLOW_DATABASE_USER", String.valueOf(given.getUser()),
                "PGFLOW_DATABASE_PASSWORD", given.getPassword() == null ? " " : given.getPassword());

        try (var database = open(null, null, null, environment)) {
            assertThat(ask(database, "select current_database()")).isEqualTo(given.getDatabaseName());
        }
    }

    @Test
    void givesAsManyConnectionsAsItMay() throws SQLException {
        try (var database = open(urlWithoutUser(), given.getUser(), given.getPassword(), Map.of());
                var first = database.dataSource().getConnection();
                var second = database.dataSource().getConnection()) {
            assertThat(first.isValid(1)).isTrue();
            assertThat(second.isValid(1)).isTrue();
            assertThatExceptionOfType(SQLTransientConnectionException.class)
                    .isThrownBy(() -> database.dataSource().getConnection().close())
                    .withMessageContaining("pgflow");
        }
    }

    @Test
    void closesItsConnectionsOnce() throws SQLException {
        var database = open(urlWithoutUser(), given.getUser(), given.getPassword(), Map.of());
        var connection = database.dataSource().getConnection();

        database.close();
        database.close();

        assertThat(connection.isValid(5)).isFalse();
        assertThatExceptionOfType(SQLException.class)
                .isThrownBy(() -> database.dataSource().getConnection().close());
    }

    @Test
    void leavesADataSourceOfTheProgramOpen() throws SQLException {
        try (var pool = new HikariDataSource()) {
            pool.setDataSource(given);
            var database = Database.of(pool);

            database.close();

            assertThat(pool.isClosed()).isFalse();
            assertThat(ask(database, "select 1")).isEqualTo("1");
            assertThat(database.describe()).contains("HikariDataSource");
        }
    }

    @Test
    void saysAtOnceThatNobodyListens() throws IOException {
        int port;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }

        assertThatExceptionOfType(DatabaseUnavailable.class)
                .isThrownBy(() -> open("postgresql://ann:s3cret@127.0.0.1:" + port + "/orders", null, null, Map.of()))
                .satisfies(e -> {
                    assertThat(e.url()).isEqualTo("jdbc:postgresql://127.0.0.1:" + port + "/orders?user=ann");
                    assertThat(e)
                            .message()
                            .contains(e.url(), "refused", "Check")
                            .doesNotContain("s3cret");
                    assertThat(e).cause().isInstanceOf(SQLException.class);
                });
    }

    @Test
    @Timeout(20)
    void doesNotWaitForAServerThatNeverAnswers() throws IOException {
        try (var silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            var url = "postgresql://127.0.0.1:" + silent.getLocalPort() + "/orders";

            assertThatExceptionOfType(DatabaseUnavailable.class).isThrownBy(() -> open(url, null, null, Map.of()));
        }
    }

    @Test
    void saysWhomTheServerRefused() {
        assertThatExceptionOfType(DatabaseUnavailable.class)
                .isThrownBy(() -> open(urlWithoutUser(), "who_is_that", "s3cret", Map.of()))
                .satisfies(
                        e -> assertThat(e).message().contains("\"who_is_that\"").doesNotContain("s3cret"));
    }

    @Test
    void refusesAUrlThatIsNone() {
        assertThatExceptionOfType(InvalidOption.class)
                .isThrownBy(() -> open(null, null, null, Map.of("PGFLOW_DATABASE_URL", "mysql://ann:s3cret@host/db")))
                .satisfies(e -> assertThat(e.option()).isEqualTo("PGFLOW_DATABASE_URL"))
                .satisfies(e -> assertThat(e).message().doesNotContain("s3cret"));
        assertThatExceptionOfType(InvalidOption.class)
                .isThrownBy(() -> open("", null, null, Map.of()))
                .satisfies(e -> assertThat(e.option()).isEqualTo("url"));
    }

    @Test
    void refusesToHaveNoConnections() {
        assertThatExceptionOfType(InvalidOption.class)
                .isThrownBy(() -> Database.open(urlWithoutUser(), null, null, 0, Map.of(), NOWHERE))
                .satisfies(e -> assertThat(e.option()).isEqualTo("connections"));
    }

    @Test
    void keepsThePasswordOutOfTheLog() throws SQLException {
        var log = new ListAppender<ILoggingEvent>();
        log.start();
        var hikari = (Logger) LoggerFactory.getLogger("com.zaxxer.hikari");
        hikari.addAppender(log);
        hikari.setAdditive(false); // not to the console
        hikari.setLevel(Level.TRACE);
        try (var database = open(urlWithoutUser() + "?sslpassword=s3cret", given.getUser(), "s3cret", Map.of())) {
            ask(database, "select 1");
        } catch (DatabaseUnavailable e) {
            // a server that asks for the password: the log was written all the same
        } finally {
            hikari.setLevel(null);
            hikari.setAdditive(true);
            hikari.detachAppender(log);
        }

        var lines = log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
        assertThat(lines).anyMatch(line -> line.contains("maximumPoolSize")).noneMatch(line -> line.contains("s3cret"));
    }

    private static Database open(
            @Nullable String url, @Nullable String user, @Nullable String password, Map<String, String> environment) {
        return Database.open(url, user, password, 2, environment, NOWHERE);
    }

    private String urlWithoutUser() {
        return "jdbc:postgresql://%s:%d/%s"
                .formatted(List.of(given.getServerNames()).get(0), given.getPortNumbers()[0], given.getDatabaseName());
    }

    private static String ask(Database database, String query) throws SQLException {
        try (var connection = database.dataSource().getConnection();
                var statement = connection.createStatement();
                var result = statement.executeQuery(query)) {
            result.next();
            return result.getString(1);
        }
    }
}
