package io.pgflow.sql;

import static java.util.Objects.requireNonNull;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

/** One connection to a database with the SQL-only pgmq, and short ways to ask it. For one thread at a time. */
final class PgmqSession implements AutoCloseable {

    /** What the server said when it refused a statement. */
    record Refusal(String state, String message) {}

    /** How a row of a result becomes a value. */
    interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }

    private final Connection connection;

    PgmqSession(DataSource database) throws SQLException {
        connection = database.getConnection();
        run("set lock_timeout = '10s'; set statement_timeout = '60s'"); // a test that would hang fails
    }

    void run(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.setEscapeProcessing(false); // braces in SQL are SQL's
            statement.execute(sql);
        }
    }

    <T> List<T> rows(String sql, Row<T> row) throws SQLException {
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            var rows = new ArrayList<T>();
            while (result.next()) rows.add(row.read(result));
            return rows;
        }
    }

    List<Long> longs(String sql) throws SQLException {
        return rows(sql, row -> row.getLong(1));
    }

    /** The first column as text, rows with NULL as the word {@code null}. */
    List<String> texts(String sql) throws SQLException {
        return rows(sql, row -> String.valueOf(row.getString(1)));
    }

    String text(String sql) throws SQLException {
        return only(texts(sql));
    }

    long number(String sql) throws SQLException {
        return only(longs(sql));
    }

    boolean holds(String condition) throws SQLException {
        return only(rows("select " + condition, row -> row.getBoolean(1)));
    }

    private static <T> T only(List<T> rows) {
        if (rows.size() != 1) throw new AssertionError("one row expected, not " + rows);
        return rows.getFirst();
    }

    /** Runs what must fail, and returns the failure. */
    Refusal refusal(String sql) throws SQLException {
        try {
            run(sql);
        } catch (PSQLException e) {
            var answer = requireNonNull(e.getServerErrorMessage());
            return new Refusal(requireNonNull(answer.getSQLState()), requireNonNull(answer.getMessage()));
        }
        throw new AssertionError("not refused: " + sql);
    }

    /** Runs a statement, and returns the notices and warnings it gave. */
    List<String> notices(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
            var notices = new ArrayList<String>();
            for (var warning = statement.getWarnings(); warning != null; warning = warning.getNextWarning()) {
                notices.add(String.valueOf(warning.getMessage()));
            }
            return notices;
        }
    }

    void begin() throws SQLException {
        connection.setAutoCommit(false);
    }

    void commit() throws SQLException {
        connection.commit();
        connection.setAutoCommit(true);
    }

    void rollback() throws SQLException {
        connection.rollback();
        connection.setAutoCommit(true);
    }

    /** Asks for one value on a thread of its own: the future's value is that, or the SQLSTATE if it was refused. */
    CompletableFuture<String> later(String sql) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return text(sql);
            } catch (SQLException e) {
                return e.getSQLState();
            }
        });
    }

    /** Waits until the other session waits for a lock. */
    void awaitLockWaitOf(PgmqSession other) throws SQLException {
        await(other, "wait_event_type = 'Lock'");
    }

    /** Waits until the other session sleeps within a statement, that is until {@code read_with_poll} has found nothing. */
    void awaitSleepOf(PgmqSession other) throws SQLException {
        await(other, "wait_event = 'PgSleep'");
    }

    private void await(PgmqSession other, String state) throws SQLException {
        int pid = other.connection.unwrap(PGConnection.class).getBackendPID();
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!holds("exists (select from pg_stat_activity where pid = " + pid + " and " + state + ")")) {
            if (System.nanoTime() > limit) throw new AssertionError("session " + pid + " has not come to " + state);
        }
    }

    void listen(String channel) throws SQLException {
        run("listen \"" + channel + "\"");
        run("listen the_end");
    }

    /**
     * What this session has heard, as {@code channel:payload}, up to now: up to a last notification by {@code sender}, since
     * they come in the order of commits.
     */
    List<String> heardFrom(PgmqSession sender) throws SQLException {
        sender.run("notify the_end");
        var heard = new ArrayList<String>();
        while (true) {
            var some = connection.unwrap(PGConnection.class).getNotifications(30_000);
            if (some == null || some.length == 0) throw new AssertionError("nothing came, not even the end");
            for (var one : some) {
                if (one.getName().equals("the_end")) return heard;
                heard.add(one.getName() + ":" + one.getParameter());
            }
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
