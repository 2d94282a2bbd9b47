package io.pgflow.internal;

import io.pgflow.WorkerState;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of the workers of a process, step by step, on a thread of its own, which nobody interrupts. Each step has a limit, also where the database
 * does not answer; what cannot be told to it any more is put right by other workers.
 */
record Shutdown(
        Stop stop,
        List<PollLoop> workers,
        Connections connections,
        OutcomeWriter outcomes,
        RunInputs inputs,
        Housekeeper housekeeper,
        Deadlines deadlines,
        RunWatch watch,
        Events events,
        Database database)
        implements Runnable {

    private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

    /** How long a claim that is under way may take. */
    private static final Duration LAST_CLAIM = Duration.ofSeconds(1);

    /** From the end of the grace until all handlers have ended, or were given up. */
    private static final Duration LAST_HANDLERS = Duration.ofMillis(1_500);

    /** From the end of the grace until all outcomes are recorded, or were given up. */
    static final Duration LAST_WORDS = Duration.ofMillis(2_500);

    /** How long it may take to take leave of the database. */
    private static final Duration FAREWELL = Duration.ofSeconds(1);

    @Override
    public void run() {
        try {
            awaitLastClaims();
            for (PollLoop worker : workers) {
                if (!stop.await(LAST_HANDLERS, worker::awaitDrained)) {
                    worker.handBackRunning();
                }
            }
            inputs.close();
            outcomes.close();
            if (!stop.await(LAST_WORDS, outcomes::awaitClosed)) {
                log.warn("{}", LogLine.of("outcomes_lost").with("next", "their tasks are run again"));
                connections.recording().abort();
            }
            watch.close();
            deadlines.after(FAREWELL, connections::abort);
            takeLeave();
            deadlines.close();
            connections.close();
            closeDatabase();
            events.close();
        } finally {
            stop.ended();
        }
    }

    private void awaitLastClaims() {
        long since = System.nanoTime();
        for (PollLoop worker : workers) {
            Duration left = LAST_CLAIM.minusNanos(System.nanoTime() - since);
            if (!Engine.uninterrupted(() -> worker.awaitLastClaim(left))) {
                log.warn(
                        "{}",
                        LogLine.of("claim_unanswered")
                                .with("flow", worker.flow().slug())
                                .with("worker", worker.workerId())
                                .with("next", "its connection is cut"));
                connections.claiming().abort();
            }
        }
    }

    private void takeLeave() {
        var queries = new Queries(connections.recording());
        Engine.uninterrupted(() -> {
            housekeeper.close(queries);
            return true;
        });
        for (PollLoop worker : workers) {
            if (!worker.is(WorkerState.STOPPED)) {
                try {
                    queries.markStopped(worker.workerId());
                } catch (DataAccessException e) {
                    log.warn(
                            "{}",
                            LogLine.of("worker_not_marked_stopped")
                                    .with("flow", worker.flow().slug())
                                    .with("worker", worker.workerId())
                                    .with("error", SqlErrors.describe(e)));
                }
                worker.stopped();
            }
        }
        var flows = workers.stream().map(worker -> worker.flow().slug()).collect(Collectors.joining(","));
        log.info("{}", LogLine.of("workers_stopped").with("flows", flows));
    }

    /** A pool waits for those who still use it, and a server takes its time. */
    private void closeDatabase() {
        var closing = Thread.ofPlatform().daemon().name("pgflow-close").start(database::close);
        stop.await(Stop.AFTER_GRACE, closing::join);
    }
}
