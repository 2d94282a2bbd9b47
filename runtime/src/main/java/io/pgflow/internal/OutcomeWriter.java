package io.pgflow.internal;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records outcomes: whatever has ended while the last statement was under way goes together into the next one. A lone task waits for nothing, and
 * a thousand tasks take a few statements.
 *
 * <p>What could not be recorded is tried again until the database answers: the claim number makes that safe, however long it takes. What the
 * database refuses is split until the culprit stands alone; only that attempt fails.
 */
final class OutcomeWriter implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(OutcomeWriter.class);

    /** A batch ends at so many outcomes, or so many bytes. Twice a claim's: one statement at a time records what all claims took. */
    private static final int LARGEST_BATCH = 400;

    private static final int LARGEST_BATCH_SIZE = 8 << 20;

    /** So often an outcome by itself is sent that is refused for another reason than its data, which may be over by then. */
    private static final int TRIES = 5;

    private static final String RECORDING = "recording outcomes";
    /** The pause between attempts once there is not much time left. */
    private static final Duration SHORT = Duration.ofMillis(100);

    private final Queries queries;
    private final Function<List<Outcome.Completed>, List<Report>> complete;
    private final Events events;
    private final BiConsumer<Outcome, Report> recorded;
    private final Backoff backoff;
    private final Queue<Entry> queue = new ConcurrentLinkedQueue<>();
    private final Semaphore queued = new Semaphore(0);
    private final Semaphore room;
    private final Thread thread;
    private final Set<Attempt> unrecorded = ConcurrentHashMap.newKeySet();
    private final ReentrantLock statement = new ReentrantLock(true); // held until what it answered has been told
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile long giveUpAt = System.nanoTime() + Duration.ofDays(36_500).toNanos();

    /** An outcome, and whether it took part of the room. */
    private record Entry(Outcome outcome, boolean tookRoom) {}

    /** The database does not take what was sent, however often it is. */
    private static final class Refusal extends Exception {
        private static final long serialVersionUID = 1L;

        Refusal(DataAccessException reason) {
            super(SqlErrors.describe(reason), reason);
        }
    }

    /**
     * Starts the thread that records.
     *
     * @param complete records results; a report for each
     * @param unrecorded how many outcomes may wait before {@link #accept} does
     * @param recorded is told of each outcome that the database answered to, on the recording thread
     */
    OutcomeWriter(
            Queries queries,
            Function<List<Outcome.Completed>, List<Report>> complete,
            int unrecorded,
            Events events,
            BiConsumer<Outcome, Report> recorded,
            RandomGenerator random) {
        this.queries = queries;
        this.complete = complete;
        this.events = events;
        this.recorded = recorded;
        this.backoff = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(5), random);
        this.room = new Semaphore(unrecorded);
        this.thread = Thread.ofPlatform().daemon().name("pgflow-outcomes").start(this::run);
    }

    /** Takes an outcome, to be recorded soon. Waits while too many are unrecorded; an interrupt does not end that. */
    void accept(Outcome outcome) {
        room.acquireUninterruptibly();
        add(new Entry(outcome, true));
    }

    /** Takes an outcome without ever waiting. */
    void acceptNow(Outcome outcome) {
        add(new Entry(outcome, false));
    }

    private void add(Entry entry) {
        unrecorded.add(entry.outcome().attempt());
        queue.add(entry);
        queued.release();
    }

    /** Whether nothing waits to be recorded at the moment. */
    boolean allRecorded() {
        return unrecorded.isEmpty();
    }

    /** The attempts whose outcomes wait to be recorded, or may be about to be. */
    Set<Attempt> unrecorded() {
        return Set.copyOf(unrecorded);
    }

    /** Does something while no outcome is being recorded, and all that was has been told. */
    <T> T betweenStatements(Supplier<T> work) {
        statement.lock();
        try {
            return work.get();
        } finally {
            statement.unlock();
        }
    }

    /** Sets until when, by {@link System#nanoTime}, the database may fail to answer before the rest is dropped; those tasks are run again. */
    void giveUpAt(long time) {
        giveUpAt = time;
    }

    /** Ends the thread once all that was accepted is recorded, or dropped. Accept nothing more. */
    @Override
    public void close() {
        closing.countDown();
        queued.release();
    }

    /** Waits for that. */
    boolean awaitClosed(Duration limit) throws InterruptedException {
        return thread.join(limit);
    }

    private void run() {
        while (true) {
            queued.acquireUninterruptibly();
            List<Outcome> batch = nextBatch();
            if (batch.isEmpty() && isClosing()) {
                return;
            }
            statement.lock();
            try {
                record(batch);
            } catch (RuntimeException | Error e) { // errors too: without this thread nothing would ever be recorded
                log.error(
                        "{}",
                        LogLine.of("outcomes_lost")
                                .with("outcomes", batch.size())
                                .with("error", SqlErrors.describe(e))
                                .with("next", "their tasks are run again"),
                        PrintableError.of(e));
            } finally {
                batch.forEach(outcome -> unrecorded.remove(outcome.attempt()));
                statement.unlock();
            }
        }
    }

    private List<Outcome> nextBatch() {
        var batch = new ArrayList<Outcome>();
        int size = 0;
        while (batch.size() < LARGEST_BATCH && size < LARGEST_BATCH_SIZE) {
            Entry next = queue.poll();
            if (next == null) {
                break;
            }
            if (!batch.isEmpty()) {
                queued.tryAcquire(); // the permit that came with it
            }
            batch.add(next.outcome());
            size += next.outcome().size();
            if (next.tookRoom()) {
                room.release(); // at most one batch is under way beside those that wait
            }
        }
        return batch;
    }

    private void record(List<Outcome> batch) {
        var completed = new ArrayList<Outcome.Completed>();
        var failed = new ArrayList<Outcome.Failure>();
        var released = new ArrayList<Outcome.Released>();
        for (Outcome outcome : batch) {
            switch (outcome) {
                case Outcome.Completed c -> completed.add(c);
                case Outcome.Failure f -> failed.add(f);
                case Outcome.Released r -> released.add(r);
            }
        }
        record(completed, complete, OutcomeWriter::refused);
        record(
                failed,
                queries::fail,
                (outcome, reason) -> new Outcome.Failed(outcome.attempt(), "Its error cannot be stored: " + reason));
        if (!released.isEmpty()) {
            release(released);
        }
    }

    private static Outcome.Failed refused(Outcome outcome, String reason) {
        return new Outcome.Failed(outcome.attempt(), ErrorText.storable("Its output cannot be stored: " + reason));
    }

    private <O extends Outcome> void record(
            List<O> outcomes,
            Function<List<O>, List<Report>> statement,
            BiFunction<O, String, Outcome.Failed> refusal) {
        if (outcomes.isEmpty()) {
            return;
        }
        try {
            tell(outcomes, untilAnswered(outcomes, statement));
        } catch (Refusal e) {
            if (outcomes.size() == 1) {
                warn("outcome_refused", outcomes.getFirst(), e, "the attempt fails");
                fail(refusal.apply(outcomes.getFirst(), String.valueOf(e.getMessage())));
            } else {
                int half = outcomes.size() / 2;
                record(outcomes.subList(0, half), statement, refusal);
                record(outcomes.subList(half, outcomes.size()), statement, refusal);
            }
        }
    }

    private void fail(Outcome.Failed instead) {
        try {
            tell(List.of(instead), untilAnswered(List.of(instead), queries::fail));
        } catch (Refusal e) {
            warn("failure_refused", instead, e, "its task is run again");
        }
    }

    private void release(List<Outcome.Released> released) {
        try {
            int given = untilAnswered(released, queries::release);
            log.info("{}", LogLine.of("tasks_handed_back").with("tasks", given));
        } catch (Refusal e) {
            if (released.size() == 1) {
                warn("release_refused", released.getFirst(), e, "its task is run again");
            } else {
                released.forEach(outcome -> release(List.of(outcome)));
            }
        }
    }

    private static void warn(String event, Outcome outcome, Refusal refusal, String next) {
        log.warn(
                "{}",
                LogLine.of(event)
                        .with(outcome.task())
                        .with("error", refusal.getMessage())
                        .with("next", next));
    }

    private void tell(List<? extends Outcome> outcomes, List<Report> reports) {
        for (int i = 0; i < outcomes.size(); i++) {
            recorded.accept(outcomes.get(i), reports.get(i));
        }
    }

    /** Sends the statement until the database answers to it, or refuses what it brings; once closing, no longer than the limit. */
    private <O, T> T untilAnswered(List<O> outcomes, Function<List<O>, T> statement) throws Refusal {
        int refused = 0;
        while (true) {
            long beganAt = System.nanoTime();
            try {
                T answer = statement.apply(outcomes);
                events.outcomesRecorded(outcomes.size(), beganAt);
                events.answered(RECORDING);
                backoff.reset();
                return answer;
            } catch (DataAccessException e) {
                boolean heals = SqlErrors.heals(e);
                refused += heals ? 0 : 1;
                if (SqlErrors.refusesData(e) || refused == TRIES || (refused > 0 && outcomes.size() > 1)) {
                    backoff.reset();
                    throw new Refusal(e);
                }
                Duration pause = isClosing() ? SHORT : backoff.next();
                if (System.nanoTime() + pause.toNanos() - giveUpAt > 0) {
                    throw e;
                }
                if (heals) {
                    events.unanswered(RECORDING, SqlErrors.describe(e));
                }
                log.warn(
                        "{}",
                        LogLine.of("recording_failed")
                                .with("outcomes", outcomes.size())
                                .with("again_in", pause)
                                .with("error", SqlErrors.describe(e)));
                sleep(pause);
            }
        }
    }

    private boolean isClosing() {
        return closing.getCount() == 0;
    }

    /** Until so much later, or until it shall close. */
    private void sleep(Duration pause) {
        statement.unlock();
        try {
            if (isClosing()) {
                Thread.sleep(pause);
            } else {
                closing.await(pause.toNanos(), TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("the recording thread is never interrupted", e);
        } finally {
            statement.lock();
        }
    }
}
