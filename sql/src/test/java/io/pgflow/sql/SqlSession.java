package io.pgflow.sql;

import static java.util.Objects.requireNonNull;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

/** One connection, and short ways to ask it: rows come as lines of text. Whatever fails is unchecked. For one thread at a time. */
class SqlSession implements AutoCloseable {

    /** What the server said when it refused a statement. */
    record Refusal(String state, String message) {}

    /** How a row of a result becomes a value. */
    interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }

    private interface Use<T> {
        T of(PreparedStatement statement) throws SQLException;
    }

    private final Connection connection;
    private @Nullable Consumer<SQLWarning> watcher;

    SqlSession(DataSource database) {
        try {
            connection = database.getConnection();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        run("set lock_timeout = '30s'"); // a test that would hang fails
        run("set statement_timeout = '60s'");
    }

    /** Executes a statement. Arguments are strings, numbers, UUIDs, or arrays of these. */
    void run(String sql, @Nullable Object... arguments) {
        use(sql, arguments, PreparedStatement::execute);
    }

    <T> List<T> rows(Row<T> row, String sql, @Nullable Object... arguments) {
        return use(sql, arguments, statement -> {
            try (var result = statement.executeQuery()) {
                var rows = new ArrayList<T>();
                while (result.next()) rows.add(row.read(result));
                return rows;
            }
        });
    }

    /** Each row as its columns with a space between them, NULL as {@code -}. */
    List<String> lines(String sql, @Nullable Object... arguments) {
        return rows(
                row -> {
                    var columns = new ArrayList<String>();
                    for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
                        var column = row.getString(i);
                        columns.add(column == null ? "-" : column);
                    }
                    return String.join(" ", columns);
                },
                sql,
                arguments);
    }

    /** The only row, as {@link #lines} has it. */
    String line(String sql, @Nullable Object... arguments) {
        var lines = lines(sql, arguments);
        if (lines.size() != 1) throw new AssertionError("one row expected, not " + lines);
        return lines.getFirst();
    }

    long number(String sql, @Nullable Object... arguments) {
        return Long.parseLong(line(sql, arguments));
    }

    boolean holds(String condition, @Nullable Object... arguments) {
        return line("select " + condition, arguments).equals("t");
    }

    /** Executes what must fail, and returns the failure. */
    Refusal refusal(String sql, @Nullable Object... arguments) {
        try {
            run(sql, arguments);
        } catch (IllegalStateException e) {
            if (!(e.getCause() instanceof PSQLException refused)) throw e;
            var answer = requireNonNull(refused.getServerErrorMessage());
            return new Refusal(requireNonNull(answer.getSQLState()), requireNonNull(answer.getMessage()));
        }
        throw new AssertionError("not refused: " + sql);
    }

    /** Executes a statement, and returns the notices and warnings that it gave. */
    List<SQLWarning> notices(String sql, @Nullable Object... arguments) {
        return use(sql, arguments, statement -> {
            statement.execute();
            var notices = new ArrayList<SQLWarning>();
            for (var notice = statement.getWarnings(); notice != null; notice = notice.getNextWarning()) {
                notices.add(notice);
            }
            return notices;
        });
    }

    /** Has the notices and warnings of all statements from now on shown to somebody; NULL: to nobody. */
    void watchNotices(@Nullable Consumer<SQLWarning> watcher) {
        this.watcher = watcher;
    }

    void begin() {
        run("begin");
    }

    void commit() {
        run("commit");
    }

    void rollback() {
        run("rollback");
    }

    void listen(String channel) {
        run("listen \"" + channel + "\"");
        run("listen the_end");
    }

    /** The channels that were notified up to now, that is up to a last notification by {@code sender}: they come in the order of commits. */
    List<String> heardFrom(SqlSession sender) {
        sender.run("notify the_end");
        var heard = new ArrayList<String>();
        try {
            while (true) {
                var some = connection.unwrap(PGConnection.class).getNotifications(30_000);
                if (some == null || some.length == 0) throw new AssertionError("nothing came, not even the end");
                for (var one : some) {
                    if (one.getName().equals("the_end")) return heard;
                    heard.add(one.getName());
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    int processId() {
        return Integer.parseInt(line("select pg_backend_pid()"));
    }

    private <T> T use(String sql, @Nullable Object[] arguments, Use<T> use) {
        try (var statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) statement.setObject(i + 1, parameter(arguments[i]));
            var result = use.of(statement);
            if (watcher != null) {
                for (var notice = statement.getWarnings(); notice != null; notice = notice.getNextWarning())
                    watcher.accept(notice);
            }
            return result;
        } catch (SQLException e) {
            throw new IllegalStateException(sql + ": " + e.getMessage(), e);
        }
    }

    private @Nullable Object parameter(@Nullable Object argument) throws SQLException {
        return switch (argument) {
            case UUID[] ids -> connection.createArrayOf("uuid", ids);
            case String[] texts -> connection.createArrayOf("text", texts);
            case Integer[] numbers -> connection.createArrayOf("int4", numbers);
            case Long[] numbers -> connection.createArrayOf("int8", numbers);
            case Boolean[] flags -> connection.createArrayOf("bool", flags);
            case null, default -> argument;
        };
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
