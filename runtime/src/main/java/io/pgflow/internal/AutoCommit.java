package io.pgflow.internal;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import javax.sql.DataSource;
import org.jooq.ConnectionProvider;
import org.jooq.exception.DataAccessException;

/**
 * Gives connections of a pool in auto-commit mode, and gives them back as they were: where a pool's are not, which frameworks like, what nobody commits is
 * rolled back. Any thread may call it.
 */
final class AutoCommit implements ConnectionProvider {

    private final DataSource pool;
    private final Set<Connection> changed =
            Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

    AutoCommit(DataSource pool) {
        this.pool = pool;
    }

    @Override
    public Connection acquire() {
        try {
            Connection connection = pool.getConnection();
            try {
                if (!connection.getAutoCommit()) {
                    connection.setAutoCommit(true);
                    changed.add(connection);
                }
                return connection;
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
        } catch (SQLException e) {
            throw new DataAccessException("no connection: " + e.getMessage(), e);
        }
    }

    @Override
    public void release(Connection connection) {
        try (connection) {
            if (changed.remove(connection)) {
                connection.setAutoCommit(false);
            }
        } catch (SQLException e) {
            // it was broken, and the pool drops it; who used it was told by the statement
        }
    }
}
