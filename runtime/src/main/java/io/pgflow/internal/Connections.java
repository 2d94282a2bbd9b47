package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;

/** The connections that the workers of a process keep, whatever the number of their slots. Any thread may call it. */
record Connections(Session claiming, Session recording, Session keeping) implements AutoCloseable {

    /** How many there are. */
    static final int KEPT = 3;

    /**
     * Longer than statements take, even those that record a hundred thousand elements, and those of clients: a start of a hundred thousand runs or of
     * a map of 100 MB takes 4 to 15 s (measured on two cores).
     */
    static final Duration SILENCE = Duration.ofMinutes(1);

    /** The same where silence costs the worker its tasks: its heartbeats must have another connection in time. */
    private static final Duration SILENCE_OF_KEEPING = Duration.ofSeconds(5);

    /** How long a pool may take to give a connection: its own limit, mostly half a minute, comes before. */
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    /**
     * Takes them.
     *
     * @throws PgflowException.PoolTooSmall if the pool gives fewer
     * @throws DataAccessException if the database gives none
     */
    static Connections open(DataSource pool, WorkerSettings settings) {
        Duration beat = settings.heartbeatInterval();
        var connections = new Connections(
                new Session(pool, SILENCE),
                new Session(pool, SILENCE),
                new Session(pool, beat.compareTo(SILENCE_OF_KEEPING) > 0 ? beat : SILENCE_OF_KEEPING));
        int open = 0;
        try {
            for (Session session : connections.all()) {
                session.open(PATIENCE);
                open++;
            }
            return connections;
        } catch (DataAccessException e) {
            connections.abort();
            connections.close();
            boolean refusedByServer =
                    e.sqlState().startsWith("53") || e.sqlState().startsWith("57");
            if (open > 0 && !refusedByServer) {
                throw new PgflowException.PoolTooSmall(open, KEPT, e);
            }
            throw e;
        }
    }

    private List<Session> all() {
        return List.of(claiming, recording, keeping);
    }

    /** Breaks all of them: whoever waits for an answer gets an error. */
    void abort() {
        all().forEach(Session::abort);
    }

    /** Gives all of them back. */
    @Override
    public void close() {
        all().forEach(Session::close);
    }
}
