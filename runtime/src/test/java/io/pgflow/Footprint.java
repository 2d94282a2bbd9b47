package io.pgflow;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/** What workers take of this process and of a database and must give back: threads, connections, and the state of those that a pool has back. */
final class Footprint {

    /** How the line of a thread begins, also of a virtual one. */
    private static final Pattern OUR_THREAD = Pattern.compile("^#\\d+ \"pgflow[^\"]*\"");

    private final HikariDataSource pool;
    private final DataSource observers;
    private final Set<String> threads;
    private final int others;

    private Footprint(HikariDataSource pool, DataSource observers) throws SQLException {
        this.pool = pool;
        this.observers = observers;
        threads = threads();
        others = connections();
    }

    /** As it is before workers start on the pool; the observers' connections are the test's own. */
    static Footprint before(HikariDataSource pool, DataSource observers) {
        try {
            return new Footprint(pool, observers);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Waits until all is as it was.
     *
     * @throws AssertionError if that takes longer than the limit, with what is left
     */
    void awaitRestored(Duration limit) {
        long giveUpAt = System.nanoTime() + limit.toNanos();
        while (true) {
            try {
                var left = left();
                if (left.isEmpty()) {
                    return;
                }
                if (System.nanoTime() > giveUpAt) {
                    throw new AssertionError("Left behind by the workers:\n" + String.join("\n", left));
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
    }

    private List<String> left() throws SQLException {
        var left = new ArrayList<>(threads());
        left.removeAll(threads);
        int taken = pool.getHikariPoolMXBean().getActiveConnections();
        if (taken > 0) {
            left.add(taken + " connections of the pool are taken");
        }
        int unpooled = connections();
        if (unpooled > others) {
            left.add((unpooled - others) + " connections are not the pool's");
        }
        left.addAll(traces());
        return left;
    }

    private static Set<String> threads() {
        try {
            var directory = Files.createTempDirectory("threads");
            var dump = directory.resolve("dump");
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                    .dumpThreads(dump.toString(), ThreadDumpFormat.TEXT_PLAIN);
            try (var lines = Files.lines(dump)) {
                return lines.map(OUR_THREAD::matcher)
                        .filter(Matcher::find)
                        .map(Matcher::group)
                        .collect(Collectors.toSet());
            } finally {
                Files.delete(dump);
                Files.delete(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The connections to this database that are neither the pool's nor the observers'. */
    private int connections() throws SQLException {
        try (var connection = observers.getConnection()) {
            int all = number(
                    connection,
                    "select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and application_name <> '"
                            + TestFlows.OBSERVER + "'");
            return all - pool.getHikariPoolMXBean().getTotalConnections();
        }
    }

    /** What was done to connections of the pool and not undone. */
    private List<String> traces() throws SQLException {
        var traces = new ArrayList<String>();
        var idle = new ArrayList<Connection>();
        try {
            for (int n = pool.getHikariPoolMXBean().getIdleConnections(); n > 0; n--) {
                idle.add(pool.getConnection());
            }
            for (Connection connection : idle) {
                int channels = number(connection, "select count(*) from pg_listening_channels()");
                if (channels > 0) {
                    traces.add("a connection of the pool listens to " + channels + " channels");
                }
                int locks = number(
                        connection,
                        "select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'");
                if (locks > 0) {
                    traces.add("a connection of the pool holds " + locks + " locks");
                }
            }
        } finally {
            for (Connection connection : idle) connection.close();
        }
        return traces;
    }

    private static int number(Connection connection, String query) throws SQLException {
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(query)) {
            result.next();
            return result.getInt(1);
        }
    }
}
