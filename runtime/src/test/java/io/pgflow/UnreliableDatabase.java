package io.pgflow;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** A database whose connections break at statements that a test names. */
final class UnreliableDatabase extends PGSimpleDataSource {
    private static final long serialVersionUID = 1L;

    /** So that answers can be looked at, and then given. */
    private static final int SCROLLS = ResultSet.TYPE_SCROLL_INSENSITIVE;

    private final transient List<Fault> faults = new CopyOnWriteArrayList<>();

    /** What goes wrong: one statement is done and its answer lost, or all of a kind get nowhere until that is mended. */
    private record Fault(String statement, boolean done, CountDownLatch happened) {}

    UnreliableDatabase(PGSimpleDataSource database) {
        setUrl(database.getURL());
        setUser(database.getUser());
        setPassword(database.getPassword());
    }

    /** The next statement that contains the text and finds something is done; its connection breaks before the answer. */
    CountDownLatch loseAnswer(String statement) {
        return set(new Fault(statement, true, new CountDownLatch(1)));
    }

    /** From now on connections break before a statement that contains the text. */
    CountDownLatch breakBefore(String statement) {
        return set(new Fault(statement, false, new CountDownLatch(1)));
    }

    private CountDownLatch set(Fault next) {
        faults.add(next);
        return next.happened();
    }

    /** Nothing goes wrong any more. */
    void mend() {
        faults.clear();
    }

    /** Waits until it has gone wrong. */
    static void await(CountDownLatch happened) throws InterruptedException {
        if (!happened.await(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("nothing went wrong within " + TestFlows.LIMIT);
        }
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection connection = super.getConnection();
        return proxy(Connection.class, (method, arguments) -> {
            if (method.getName().equals("prepareStatement")) {
                String sql = (String) arguments[0];
                return statement(
                        connection, sql, connection.prepareStatement(sql, SCROLLS, ResultSet.CONCUR_READ_ONLY));
            }
            return invoke(connection, method, arguments);
        });
    }

    private PreparedStatement statement(Connection connection, String sql, PreparedStatement statement) {
        return proxy(PreparedStatement.class, (method, arguments) -> {
            if (!method.getName().startsWith("execute")) {
                return invoke(statement, method, arguments);
            }
            Fault now = null;
            for (Fault fault : faults) {
                now = sql.contains(fault.statement()) ? fault : now;
            }
            if (now != null && !now.done()) {
                throw broken(connection, now);
            }
            Object result = invoke(statement, method, arguments);
            if (now == null) {
                return result;
            }
            ResultSet rows = statement.getResultSet();
            if (rows == null) {
                return result;
            }
            boolean found = rows.next() && rows.getObject(1) != null;
            rows.beforeFirst();
            if (!found) {
                return result;
            }
            faults.remove(now);
            throw broken(connection, now);
        });
    }

    private static SQLException broken(Connection connection, Fault fault) throws SQLException {
        connection.abort(Runnable::run);
        fault.happened().countDown();
        return new SQLException("An I/O error occurred while sending to the backend.", "08006");
    }

    private interface Call {
        @Nullable
        Object of(Method method, Object[] arguments) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Call call) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> call.of(method, arguments)));
    }

    private static @Nullable Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
