package io.pgflow.internal;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.jooq.ConnectionProvider;
import org.jooq.exception.DataAccessException;

/**
 * Gives connections of a pool in auto-commit mode, and gives them back as they were: where a pool's are not, which frameworks like, what nobody commits is
 * rolled back. May bound how long each may be silent, too. Any thread may call it.
 */
final class AutoCommit implements ConnectionProvider {

    /** How a connection came; the silence in milliseconds, 0 for any. */
    private record Modes(boolean autoCommit, int silence) {}

    private final DataSource pool;
    private final int silence; // milliseconds, 0 for any
    private final Map<Connection, Modes> given = Collections.synchronizedMap(new IdentityHashMap<>());

    /** Connections may be silent for as long as the pool has it. */
    AutoCommit(DataSource pool) {
        this(pool, Duration.ZERO);
    }

    /**
     * Bounds silence.
     *
     * @param silence how long a statement may go without an answer before its connection counts as broken, where the pool sets no limit of its own
     */
    AutoCommit(DataSource pool, Duration silence) {
        this.pool = pool;
        this.silence = Math.toIntExact(silence.toMillis());
    }

    @Override
    public Connection acquire() {
        try {
            Connection connection = pool.getConnection();
            try {
                var before = new Modes(connection.getAutoCommit(), connection.getNetworkTimeout());
                given.put(connection, before);
                if (!before.autoCommit()) {
                    connection.setAutoCommit(true);
                }
                if (before.silence() == 0 && silence != 0) {
                    connection.setNetworkTimeout(Runnable::run, silence); // the driver's matter: nothing is sent
                }
                return connection;
            } catch (SQLException e) {
                release(connection);
                throw e;
            }
        } catch (SQLException e) {
            throw new DataAccessException("no connection: " + e.getMessage(), e);
        }
    }

    @Override
    public void release(Connection connection) {
        try (connection) {
            Modes before = given.remove(connection);
            if (before != null) {
                connection.setNetworkTimeout(Runnable::run, before.silence()); // not every pool sees to these
                connection.setAutoCommit(before.autoCommit());
            }
        } catch (SQLException e) {
            // it was broken, and the pool drops it; who used it was told by the statement
        }
    }
}
