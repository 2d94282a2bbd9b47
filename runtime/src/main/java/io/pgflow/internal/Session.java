package io.pgflow.internal;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;

/**
 * One connection, taken once and kept: what the engine does must not wait behind what handlers do with the pool. After an
 * error the connection is given up unless it still works, and the next call takes a new one. Calls are one at a time, from any thread; none of the
 * threads that call may ever be interrupted, since that would close a socket in the middle of a statement.
 */
final class Session implements AutoCloseable {

    private static final int VALID_WITHIN_SECONDS = 2;

    private final DataSource dataSource;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable Connection connection;

    /** Takes a connection at the first call. */
    Session(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /**
     * Runs statements, each in a transaction of its own.
     *
     * @throws DataAccessException if there is no connection, or the database refused; it may or may not have been done
     */
    <T> T call(Function<DSLContext, T> work) {
        lock.lock();
        try {
            return work.apply(Jooq.on(connection()));
        } catch (DataAccessException e) {
            giveUpUnlessValid();
            throw e;
        } finally {
            lock.unlock();
        }
    }

    /** The same for statements without a result. */
    void run(Consumer<DSLContext> work) {
        call(db -> {
            work.accept(db);
            return db;
        });
    }

    private Connection connection() {
        if (connection == null) {
            try {
                connection = dataSource.getConnection();
                connection.setAutoCommit(true);
            } catch (SQLException e) {
                throw new DataAccessException("no connection: " + e.getMessage(), e);
            }
        }
        return connection;
    }

    private void giveUpUnlessValid() {
        try {
            if (connection != null && !connection.isValid(VALID_WITHIN_SECONDS)) {
                close();
            }
        } catch (SQLException e) {
            close();
        }
    }

    /** Takes the connection now. */
    void open() {
        run(db -> {});
    }

    /** Breaks the connection, from any thread: whoever waits on it gets an error. */
    void abort() {
        Connection broken = connection;
        if (broken != null) {
            try {
                broken.abort(Runnable::run);
            } catch (SQLException e) {
                // it was broken already
            }
        }
    }

    /** Gives the connection back. A call after this takes another one. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (connection != null) {
                connection.close();
            }
        } catch (SQLException e) {
            // it was broken, and the pool drops it
        } finally {
            connection = null;
            lock.unlock();
        }
    }
}
