package io.pgflow.internal;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.pgflow.Flow;
import io.pgflow.WorkerSnapshot;
import io.pgflow.WorkerSnapshot.Reason;
import io.pgflow.WorkerSnapshot.Waiting;
import io.pgflow.WorkerState;
import io.pgflow.internal.Pace.Pause;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The worker of one flow: claims no more tasks than it has free slots, and has each run on a virtual thread of its own. {@link #run} is for the worker's
 * own thread, which opens the scope and forks the tasks; the other methods are for any thread.
 */
final class PollLoop implements Runnable {

    private static final Logger log = LoggerFactory.getLogger(PollLoop.class);

    /** A claim of one task costs nearly as much as one of so many: where there is more to claim, one with fewer slots free waits a little for others. */
    private static final int ENOUGH = 32;

    private static final Duration GATHERING = Duration.ofMillis(1);

    private final Flow<?> flow;
    private final UUID workerId;
    private final String name;
    private final int batchSize;
    private final Queries queries;
    private final TaskRunner runner;
    private final Slots slots;
    private final InHand inHand;
    private final Pace pace;
    private final Events events;
    private final LifeCycle life;
    private final InstantSource clock;
    private final Wake wake = new Wake();
    private final CountDownLatch claimed = new CountDownLatch(1);
    private final CountDownLatch drained = new CountDownLatch(1);
    private boolean unanswered; // a claim was, and what it took is unknown; the worker's own thread
    private volatile boolean due; // is a poll, whatever the pause
    private volatile Instant startedAt = Instant.MAX;
    private volatile @Nullable Waiting waiting;
    private volatile @Nullable Instant lastHeartbeat;

    /** A worker that is starting, and that is registered: {@link #run} is next. */
    PollLoop(
            Flow<?> flow,
            UUID workerId,
            WorkerSettings settings,
            Queries queries,
            TaskRunner runner,
            InHand inHand,
            Pace pace,
            Events events,
            LifeCycle life,
            InstantSource clock) {
        this.flow = flow;
        this.workerId = workerId;
        this.name = settings.name(flow);
        this.batchSize = settings.batchSize();
        this.queries = queries;
        this.runner = runner;
        this.slots = inHand.slots();
        this.inHand = inHand;
        this.pace = pace;
        this.events = events;
        this.life = life;
        this.clock = clock;
    }

    UUID workerId() {
        return workerId;
    }

    String name() {
        return name;
    }

    Flow<?> flow() {
        return flow;
    }

    /** Is at work from now on. */
    void begin() {
        life.moveTo(WorkerState.RUNNING);
        startedAt = clock.instant();
        Thread.ofVirtual().name(name).start(this);
    }

    /** Polls now: there may be something to do. */
    void wake() {
        due = true;
        wake.signal();
    }

    /** Polls now, and again soon: something was announced. */
    void announced() {
        pace.announced();
        wake();
    }

    /** Takes a slot for a task that may follow from a result of a step, if it is worth it and one is free. */
    boolean reserve(String step) {
        return inHand.reserve(step);
    }

    /** Gives it back. */
    void unreserve() {
        inHand.unreserve();
    }

    /** Starts a task, for which a slot was reserved, that was handed over to this worker. */
    void handOver(Task task) {
        inHand.handOver(task);
        wake.signal();
    }

    /** Looks for tasks that were handed over without an answer, and hands them back. */
    void mayHaveLost() {
        inHand.mayHaveLost();
        wake();
    }

    /** Hands back what is still in hand, since the worker's own thread does not come to it: pinned carriers may hold it up. */
    void handBackRunning() {
        inHand.handBackRunning();
    }

    /** Notes that the database has heard of this worker. */
    void heard() {
        lastHeartbeat = clock.instant();
    }

    /**
     * Claims no more. What was claimed goes on until the given time, by {@link System#nanoTime}; then handlers are interrupted, and their tasks handed
     * back. A later call can only shorten the time.
     */
    void stop(long interruptHandlersAt) {
        life.stop();
        slots.close(interruptHandlersAt);
        inHand.interruptBehind(interruptHandlersAt);
        wake();
    }

    /** The same because an operator has deprecated it; does nothing to a worker that stops already. */
    void deprecate(Duration grace) {
        if (life.is(WorkerState.RUNNING) && life.moveTo(WorkerState.DEPRECATED)) {
            log.info(
                    "{}",
                    LogLine.of("worker_deprecated")
                            .with("worker", workerId)
                            .with("flow", flow.slug())
                            .with("tasks", inHand.size())
                            .with("next", "it finishes what it has, and stops"));
            stop(System.nanoTime() + grace.toNanos());
        }
    }

    /** Notes that this worker has stopped, and that the database knows as far as it can. */
    void stopped() {
        if (life.moveTo(WorkerState.STOPPED)) {
            Duration lived = Duration.between(startedAt, clock.instant());
            events.workerStopped(workerId, name, flow.slug(), lived);
            log.info("{}", line("worker_stopped").with("lived", lived));
        }
    }

    /** Whether its queue was told to announce. */
    boolean announcing() {
        return pace.announcing();
    }

    boolean is(WorkerState state) {
        return life.is(state);
    }

    /** Waits until no claim is under way any more and none will be; false if that took too long. */
    boolean awaitLastClaim(Duration limit) throws InterruptedException {
        return claimed.await(limit.toNanos(), NANOSECONDS);
    }

    /** Waits until no task is in hand any more; those whose handlers would not end have been handed back. False if that took too long. */
    boolean awaitDrained(Duration limit) throws InterruptedException {
        return drained.await(limit.toNanos(), NANOSECONDS);
    }

    /** Waits until the worker has stopped, for whatever reason. */
    void awaitDrained() throws InterruptedException {
        drained.await();
    }

    boolean drained() {
        return drained.getCount() == 0;
    }

    @Override
    public void run() {
        try (var scope = TaskScope.open(name)) {
            try {
                poll(scope);
                claimed.countDown();
                drain(scope);
            } finally {
                claimed.countDown();
                events.answered(claiming()); // it asks no more
                drained.countDown();
                scope.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void poll(TaskScope scope) throws InterruptedException {
        boolean more = false; // is there likely more to claim than slots are free?
        while (true) {
            waiting = new Waiting(Reason.FREE_SLOT, Optional.empty());
            int room = more ? slots.take(batchSize, ENOUGH, GATHERING) : slots.take(batchSize);
            if (room == 0) { // none are given any more
                try {
                    handBackLost();
                } catch (DataAccessException e) { // others will find them
                    log.debug("{}", line("tasks_lost").with("error", SqlErrors.describe(e)));
                }
                return;
            }
            waiting = null;
            room -= inHand.startHandedOver(scope, room);
            if (room > 0) {
                due = false;
                Pause pause = claim(scope, room);
                more = pause.length().isZero();
                pause(scope, pause);
            }
        }
    }

    /** Until a poll is due. Tasks that are handed over meanwhile start at once. */
    private void pause(TaskScope scope, Pause pause) throws InterruptedException {
        if (!pause.length().isPositive()) {
            return;
        }
        waiting = new Waiting(pause.reason(), Optional.of(clock.instant().plus(pause.length())));
        long end = System.nanoTime() + pause.length().toNanos();
        for (long left = pause.length().toNanos(); left > 0 && !due; left = end - System.nanoTime()) {
            wake.await(Duration.ofNanos(left));
            inHand.startHandedOver(scope);
        }
    }

    /** Claims tasks for the slots taken and starts them; gives the pause after it. Whatever goes wrong costs a pause, and no slot. */
    private Pause claim(TaskScope scope, int room) {
        int unused = room;
        long beganAt = System.nanoTime();
        events.pollStarted(workerId, flow.slug(), inHand.size());
        try {
            handBackLost();
            unanswered = true;
            var claim = queries.claim(flow.slug(), workerId, room);
            runner.expect(claim.tasks());
            for (Task task : claim.tasks()) {
                unused--;
                inHand.start(scope, task);
            }
            unanswered = false;
            int got = claim.tasks().size();
            events.pollEnded(workerId, flow.slug(), inHand.size(), beganAt, got, got);
            events.answered(claiming());
            return pace.after(room, claim);
        } catch (DataAccessException e) {
            Pause pause = pace.afterFailure();
            events.unanswered(claiming(), SqlErrors.describe(e));
            log.warn("{}", line("poll_failed").with("again_in", pause.length()).with("error", SqlErrors.describe(e)));
            return pause;
        } catch (RuntimeException | Error e) { // without this thread the process would live on, and work no more
            Pause pause = pace.afterFailure();
            log.error(
                    "{}",
                    line("poll_failed").with("again_in", pause.length()).with("error", ErrorText.say(e)),
                    PrintableError.of(e));
            return pause;
        } finally {
            slots.give(unused);
        }
    }

    /** What got no answer may have been done all the same: its tasks would be nobody's until they count as stalled. */
    private void handBackLost() {
        int lost = inHand.releaseLost(queries, flow.slug(), unanswered);
        unanswered = false;
        if (lost > 0) {
            log.info(
                    "{}",
                    line("tasks_handed_back")
                            .with("tasks", lost)
                            .with("reason", "no answer came when they were taken"));
        }
    }

    private void drain(TaskScope scope) throws InterruptedException {
        waiting = new Waiting(Reason.LAST_TASKS, Optional.empty());
        if (inHand.size() > 0) {
            log.info("{}", line("worker_drains").with("tasks", inHand.size()));
        }
        inHand.drain(scope);
        waiting = null;
    }

    /** What this does, where outages are told. */
    private String claiming() {
        return "claiming tasks of flow " + flow.slug();
    }

    private LogLine line(String event) {
        return LogLine.of(event).with("flow", flow.slug()).with("worker", workerId);
    }

    WorkerSnapshot snapshot() {
        var waits = Optional.ofNullable(waiting); // before the state, which a stop changes first
        var phase = life.phase();
        return new WorkerSnapshot(
                workerId,
                name,
                flow.slug(),
                phase.state(),
                phase.since(),
                inHand.snapshot(),
                slots.free(),
                waits,
                Optional.ofNullable(lastHeartbeat),
                pace.listening());
    }
}
