package io.pgflow;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A database whose statements and connections are counted. */
final class WatchedDatabase extends PGSimpleDataSource {
    private static final long serialVersionUID = 1L;

    private final transient List<String> statements = new CopyOnWriteArrayList<>();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger mostOpen = new AtomicInteger();
    private transient volatile CountDownLatch gate = new CountDownLatch(0);

    WatchedDatabase(PGSimpleDataSource database) {
        setUrl(database.getURL());
        setUser(database.getUser());
        setPassword(database.getPassword());
    }

    /** The statements that were prepared up to now. */
    List<String> statements() {
        return List.copyOf(statements);
    }

    /** How many of them contain the text. */
    long statements(String part) {
        return statements.stream().filter(sql -> sql.contains(part)).count();
    }

    /** Waits until that many statements contain the text. */
    void awaitStatements(String part, int count) throws InterruptedException {
        long giveUpAt = System.nanoTime() + TestFlows.LIMIT.toNanos();
        while (statements(part) < count) {
            if (System.nanoTime() > giveUpAt) throw new AssertionError("no '" + part + "' in " + statements);
            Thread.sleep(2);
        }
    }

    int open() {
        return open.get();
    }

    int mostOpen() {
        return mostOpen.get();
    }

    /** Until {@link #give}, whoever wants a connection waits. */
    void withhold() {
        gate = new CountDownLatch(1);
    }

    void give() {
        gate.countDown();
    }

    @Override
    public Connection getConnection() throws SQLException {
        try {
            if (!gate.await(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new SQLException("no connection was given", "08001");
            }
        } catch (InterruptedException e) {
            throw new SQLException("interrupted", "08001", e);
        }
        Connection connection = super.getConnection();
        mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
        return (Connection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "prepareStatement" -> statements.add((String) arguments[0]);
                        case "close" -> open.decrementAndGet();
                        default -> {}
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** As what its users need. */
    DataSource asDataSource() {
        return this;
    }
}
