package io.pgflow.internal;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;

/**
 * One connection, taken once and kept: what the engine does must not wait behind what handlers do with the pool. After an error the connection is given
 * up unless it still works, and the next call takes a new one. Calls are one at a time, from any thread; none of the threads that
 * call may ever be interrupted, since that would close a socket in the middle of a statement.
 */
final class Session implements AutoCloseable {

    private static final int VALID_WITHIN_SECONDS = 2;

    private final DataSource dataSource;
    private final Duration silence;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable Connection connection;
    private volatile boolean aborted;
    private boolean autoCommitBefore; // guarded by the lock
    private int silenceBefore; // milliseconds; guarded by the lock

    /**
     * Takes a connection at the first call.
     *
     * @param silence how long a statement may go without an answer before the connection counts as broken: one that was cut off without
     *     a word would wait for ever
     */
    Session(DataSource dataSource, Duration silence) {
        this.dataSource = dataSource;
        this.silence = silence;
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
            giveUpUnlessUseful(e);
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
        try {
            Connection usable = connection;
            if (usable == null && !aborted) {
                usable = dataSource.getConnection();
                connection = usable;
                autoCommitBefore = usable.getAutoCommit();
                usable.setAutoCommit(true);
                silenceBefore = usable.getNetworkTimeout();
                usable.setNetworkTimeout(Runnable::run, Math.toIntExact(silence.toMillis()));
            }
            if (usable == null || aborted) { // meanwhile, perhaps
                close();
                throw new DataAccessException("no connection: the worker has given up on the database");
            }
            return usable;
        } catch (SQLException e) {
            throw new DataAccessException("no connection: " + e.getMessage(), e);
        }
    }

    private void giveUpUnlessUseful(DataAccessException reason) {
        Connection used = connection;
        if (used == null) {
            return;
        }
        try {
            if (SqlErrors.spoilsConnection(reason)) {
                used.abort(Runnable::run); // else the pool might give it to us again
            } else if (used.isValid(VALID_WITHIN_SECONDS)) {
                return;
            }
        } catch (SQLException e) {
            // it is of no use, then
        }
        close();
    }

    private boolean lockSoon() {
        boolean interrupted = Thread.interrupted();
        try {
            return lock.tryLock(VALID_WITHIN_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
            return lock.tryLock();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Takes the connection now.
     *
     * @throws DataAccessException if there is none within so long
     */
    void open(Duration limit) {
        var failure = new AtomicReference<@Nullable DataAccessException>(
                new DataAccessException("no connection within " + Durations.format(limit)));
        var opening = Thread.ofPlatform().daemon().name("pgflow-connect").start(() -> {
            try {
                run(db -> {});
                failure.set(null);
            } catch (DataAccessException e) {
                failure.set(e);
            }
        });
        Engine.uninterrupted(() -> opening.join(limit));
        DataAccessException e = failure.get();
        if (e != null) {
            throw e;
        }
    }

    /** Breaks the connection, from any thread, and takes no other: whoever waits on it gets an error, and so does whoever calls later. */
    void abort() {
        aborted = true;
        Connection broken = connection;
        if (broken != null) {
            try {
                broken.abort(Runnable::run);
            } catch (SQLException e) {
                // it was broken already
            }
        }
    }

    /** Gives the connection back, unless it is in use by then: that takes an {@link #abort} before. A call after this takes another one. */
    @Override
    public void close() {
        if (!lockSoon()) {
            return;
        }
        try (Connection used = connection) {
            if (used != null) {
                used.setNetworkTimeout(Runnable::run, silenceBefore); // not every pool sees to these
                used.setAutoCommit(autoCommitBefore);
            }
        } catch (SQLException e) {
            // it was broken, and the pool drops it
        } finally {
            connection = null;
            lock.unlock();
        }
    }
}
