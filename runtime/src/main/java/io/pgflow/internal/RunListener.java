package io.pgflow.internal;

import java.time.Duration;
import java.util.Random;
import java.util.UUID;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hears which awaited runs have ended, for a client without workers: one platform thread with one connection, until it is closed. */
public final class RunListener implements RunWatch.Ear {

    private static final Logger log = LoggerFactory.getLogger(RunListener.class);

    /** Behind the announcement that wakes the thread to end. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

    /** How long the thread may take to end once it was woken. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private final ClientQueries queries;
    private final Runnable heard;
    private final Session session;
    private final String ownChannel = "pgflow_" + UUID.randomUUID();
    private final Thread thread;
    private volatile boolean listening;
    private volatile boolean closed;

    /**
     * Starts the thread.
     *
     * @param heard is called at each announcement, and whenever some may have been lost
     */
    public RunListener(DataSource dataSource, ClientQueries queries, Runnable heard) {
        this.queries = queries;
        this.heard = heard;
        this.session = new Session(dataSource, Connections.SILENCE);
        this.thread = Thread.ofPlatform().daemon().name("pgflow-listener").start(this::run);
    }

    @Override
    public boolean hears() {
        return listening;
    }

    private void run() {
        var broken = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(5), new Random());
        try (session) {
            while (!closed) {
                try {
                    if (!listening) {
                        listen();
                    }
                    awaitAnnouncements();
                    broken.reset();
                } catch (DataAccessException e) {
                    listening = false;
                    if (!closed) {
                        Duration pause = broken.next();
                        log.warn(
                                "{}",
                                LogLine.of("ends_of_runs_unheard")
                                        .with("again_in", pause)
                                        .with("error", SqlErrors.describe(e)));
                        Thread.sleep(pause);
                    }
                }
            }
            if (listening) {
                session.run(Jooq::unlisten); // it may be a pool's, and used for something else next
            }
        } catch (DataAccessException e) {
            log.debug("{}", LogLine.of("listener_broke_at_end").with("error", SqlErrors.describe(e)));
        } catch (InterruptedException e) {
            throw new IllegalStateException("the listener is never interrupted", e);
        }
    }

    private void listen() {
        session.run(db -> {
            Jooq.listen(db, ownChannel);
            Jooq.listen(db, RunWatch.CHANNEL);
        });
        listening = true;
        heard.run(); // what was announced before is lost
    }

    private void awaitAnnouncements() {
        int millis = Math.toIntExact(LONGEST_WAIT.toMillis());
        var notifications = session.call(db -> db.connectionResult(
                connection -> connection.unwrap(PGConnection.class).getNotifications(millis)));
        if (notifications != null && notifications.length > 0) {
            heard.run();
        }
    }

    /** Ends the thread, which an announcement to itself wakes; where that does not arrive, its connection is cut. */
    @Override
    public void close() {
        closed = true;
        try {
            queries.announce(ownChannel);
            Engine.uninterrupted(() -> thread.join(LAST_WORDS));
        } catch (DataAccessException e) {
            log.debug("{}", LogLine.of("listener_not_woken").with("error", SqlErrors.describe(e)));
        }
        if (thread.isAlive()) {
            session.abort();
        }
    }
}
