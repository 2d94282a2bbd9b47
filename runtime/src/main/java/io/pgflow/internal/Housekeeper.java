package io.pgflow.internal;

import io.pgflow.WorkerState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.jooq.exception.DataAccessException;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a process's workers known and awake: listens for announced messages, beats for every worker, and sweeps for tasks that nobody works on
 * any more. One platform thread with one connection: neither handlers nor pinned carriers can hold it up.
 */
final class Housekeeper {

    private static final Logger log = LoggerFactory.getLogger(Housekeeper.class);

    /** How long the thread may take to end once it was woken. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private static final String HOUSEKEEPING = "heartbeats and announcements";

    private final Session session;
    private final Queries queries;
    private final List<PollLoop> workers;
    private final WorkerSettings settings;
    private final Events events;
    private final BooleanSupplier allRecorded;
    private final Runnable runEnded;
    private final Thread thread;
    private final String ownChannel = "pgflow_" + UUID.randomUUID();
    private volatile boolean closed;
    private volatile boolean listening;
    private Instant lostAt = Instant.MIN;
    private long beatAt = System.nanoTime();
    private long sweepAt = System.nanoTime();
    private long steadySince; // since when every beat was in time

    /**
     * Prepares the thread.
     *
     * @param allRecorded whether no outcome waits to be recorded at the moment
     * @param runEnded is called where an awaited run has ended, or may have
     */
    Housekeeper(
            Session session,
            Queries queries,
            List<PollLoop> workers,
            WorkerSettings settings,
            Events events,
            BooleanSupplier allRecorded,
            Runnable runEnded) {
        this.session = session;
        this.queries = queries;
        this.workers = List.copyOf(workers);
        this.settings = settings;
        this.events = events;
        this.allRecorded = allRecorded;
        this.runEnded = runEnded;
        this.thread = Thread.ofPlatform().daemon().name("pgflow-housekeeper").unstarted(this::run);
    }

    /**
     * Listens from now on, and starts the thread.
     *
     * @throws DataAccessException if the database does not answer
     */
    void start() {
        listen();
        steadySince = System.nanoTime();
        thread.start();
    }

    /** Whether announcements arrive at the moment. */
    boolean listening() {
        return listening;
    }

    /** Ends the thread, which an announcement to itself wakes; where that does not arrive, its connection is cut. */
    void close(Queries announcer) throws InterruptedException {
        closed = true;
        try {
            announcer.announce(ownChannel);
            thread.join(LAST_WORDS);
        } catch (DataAccessException e) {
            log.debug("{}", LogLine.of("housekeeper_not_woken").with("error", SqlErrors.describe(e)));
        }
        if (thread.isAlive()) {
            session.abort();
        }
    }

    private void run() {
        var broken = new Backoff(Duration.ofMillis(100), settings.maxPollInterval(), new Random());
        while (!closed) {
            try {
                if (!listening) {
                    listen();
                    announceAgain();
                    events.listenerBack(lostAt);
                    workers.forEach(PollLoop::wake); // what was announced meanwhile is lost
                    runEnded.run();
                }
                if (System.nanoTime() - beatAt >= 0) {
                    beat();
                }
                if (System.nanoTime() - sweepAt >= 0) {
                    sweep();
                }
                events.answered(HOUSEKEEPING);
                broken.reset();
                awaitAnnouncements();
            } catch (RuntimeException | Error e) { // errors too: without heartbeats others would take the tasks
                if (closed) {
                    return;
                }
                if (listening) {
                    listening = false;
                    lostAt = Instant.now();
                    events.listenerLost(SqlErrors.describe(e));
                }
                events.unanswered(HOUSEKEEPING, SqlErrors.describe(e));
                steadySince = System.nanoTime();
                workers.forEach(PollLoop::wake); // from now on they must poll often
                Duration pause = broken.next();
                log.warn(
                        "{}",
                        LogLine.of("housekeeping_failed")
                                .with("again_in", pause)
                                .with("error", SqlErrors.describe(e)));
                sleep(pause);
            }
        }
        stopListening();
    }

    private void listen() {
        session.run(db -> {
            Jooq.listen(db, ownChannel);
            Jooq.listen(db, RunWatch.CHANNEL);
            for (PollLoop worker : workers) {
                // the name as given, and in lower case: releases of pgmq differ in that
                String slug = worker.flow().slug();
                Jooq.listen(db, channel(slug));
                Jooq.listen(db, channel(slug.toLowerCase(Locale.ROOT)));
            }
        });
        listening = true;
    }

    /** In a crash of the server, queues may forget to announce. */
    private void announceAgain() {
        for (PollLoop worker : workers) {
            if (worker.announcing()) {
                queries.enableNotifications(worker.flow().slug(), settings.notifyThrottle());
            }
        }
    }

    /** The connection may be a pool's: whoever gets it next has not asked for announcements. */
    private void stopListening() {
        try {
            session.run(Jooq::unlisten);
        } catch (DataAccessException e) {
            log.debug("the housekeeper lost its connection at the end: {}", SqlErrors.describe(e));
        }
    }

    private static String channel(String slug) {
        return "pgmq.q_" + slug + ".INSERT";
    }

    private void awaitAnnouncements() {
        long untilDue = Math.min(beatAt, sweepAt) - System.nanoTime();
        int millis = (int) Math.max(1, Duration.ofNanos(untilDue).toMillis());
        PGNotification[] notifications = session.call(db -> db.connectionResult(
                connection -> connection.unwrap(PGConnection.class).getNotifications(millis)));
        if (notifications != null) {
            for (PGNotification notification : notifications) {
                if (notification.getName().equals(RunWatch.CHANNEL)) {
                    runEnded.run();
                }
                for (PollLoop worker : workers) {
                    if (notification
                            .getName()
                            .equalsIgnoreCase(channel(worker.flow().slug()))) {
                        worker.announced();
                    }
                }
            }
        }
    }

    private void beat() {
        Duration late = Duration.ofNanos(System.nanoTime() - beatAt);
        if (late.compareTo(settings.heartbeatInterval()) > 0) { // the process was halted: others may have been, too
            steadySince = System.nanoTime();
        }
        for (PollLoop worker : workers) {
            if (!worker.is(WorkerState.STOPPED)) {
                beat(worker);
            }
        }
        beatAt = System.nanoTime() + settings.heartbeatInterval().toNanos();
    }

    private void beat(PollLoop worker) {
        if (worker.drained() && allRecorded.getAsBoolean()) {
            queries.markStopped(worker.workerId());
            worker.stopped();
        } else {
            switch (queries.heartbeat(worker.workerId())) {
                case RUNNING -> {}
                case DEPRECATED -> worker.deprecate(settings.grace());
                case UNKNOWN -> {
                    log.info(
                            "{}",
                            LogLine.of("worker_unknown")
                                    .with("flow", worker.flow().slug())
                                    .with("worker", worker.workerId())
                                    .with("next", "it registers again"));
                    queries.register(worker.workerId(), worker.flow().slug(), settings.heartbeatInterval());
                }
            }
            worker.heard();
        }
    }

    /** Not before the own beats were steady for as long as makes an orphan: after an outage every worker's last beat is old. */
    private void sweep() {
        if (System.nanoTime() - steadySince >= settings.orphanedAfter().toNanos()) {
            try {
                queries.recover().forEach(this::tell);
            } catch (DataAccessException e) {
                if (SqlErrors.spoilsConnection(e)) {
                    throw e;
                }
                log.warn("{}", LogLine.of("recovery_failed").with("error", SqlErrors.describe(e)));
            }
        }
        sweepAt = System.nanoTime() + settings.recoveryInterval().toNanos();
    }

    private void tell(Queries.Recovered task) {
        log.warn(
                "{}",
                LogLine.of("task_recovered")
                        .with("flow", task.flowSlug())
                        .with("run", task.runId())
                        .with("step", task.stepSlug())
                        .with("index", task.taskIndex())
                        .with("outcome", task.outcome())
                        .with("since", task.since()));
        ReportLog.runEnded(task.flowSlug(), task.runId(), task.runEnded(), task.runError());
        events.recovered(task);
    }

    private static void sleep(Duration pause) {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException e) {
            throw new IllegalStateException("the housekeeper is never interrupted", e);
        }
    }
}
