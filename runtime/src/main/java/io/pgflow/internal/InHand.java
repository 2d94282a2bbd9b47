package io.pgflow.internal;

import io.pgflow.WorkerSnapshot.ActiveTask;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tasks that a worker has in hand: each has a slot, a virtual thread, and a deadline. Its slot is free again when the thread has ended and the
 * outcome was accepted. The worker's own thread starts and drains; the rest is for any thread.
 */
final class InHand {

    private static final Logger log = LoggerFactory.getLogger(InHand.class);

    /** How long handlers may take to notice their interrupt. */
    private static final Duration TO_NOTICE = Duration.ofSeconds(1);

    /** How much later than the worker's own thread another one interrupts them. */
    private static final Duration BEHIND = Duration.ofMillis(100);

    private final UUID workerId;
    private final Slots slots;
    private final TaskRunner runner;
    private final OutcomeWriter outcomes;
    private final Deadlines deadlines;
    private final Events events;
    private final InstantSource clock;
    private final AtomicInteger unresponsive = new AtomicInteger(); // handlers that were, since the start
    private final Set<Attempt> running = ConcurrentHashMap.newKeySet();
    private final Queue<Task> handedOver = new LinkedBlockingQueue<>(); // each with a slot that nobody else is to take
    private volatile boolean mayHaveLost;

    InHand(
            UUID workerId,
            int slots,
            TaskRunner runner,
            OutcomeWriter outcomes,
            Deadlines deadlines,
            Events events,
            InstantSource clock) {
        this.workerId = workerId;
        this.slots = new Slots(slots);
        this.runner = runner;
        this.outcomes = outcomes;
        this.deadlines = deadlines;
        this.events = events;
        this.clock = clock;
    }

    /** Takes a slot, if one is free, for what may follow from a result of a step, if anything may. */
    boolean reserve(String step) {
        return runner.leads(step) && slots.free() > handedOver.size() && slots.takeFree(1) == 1;
    }

    /** Gives it back. */
    void unreserve() {
        slots.give(1);
    }

    /** Takes a task, for which a slot was reserved: the worker's own thread is to start it. Once slots are closed it is handed back. */
    void handOver(Task task) {
        handedOver.add(task);
        if (slots.closed()) {
            handBackHandedOver();
        }
        slots.give(1); // whoever waits for one wakes up, and looks for such tasks first
    }

    private void handBackHandedOver() {
        for (Task task = handedOver.poll(); task != null; task = handedOver.poll()) {
            handBack(new Attempt(task, workerId, clock.instant(), runner.inputOf(task)));
        }
    }

    /** Starts tasks that were handed over, in so many slots that were taken for them; how many. */
    int startHandedOver(TaskScope scope, int room) {
        int started = 0;
        while (started < room) {
            Task task = handedOver.poll();
            if (task == null) {
                break;
            }
            runner.expect(List.of(task));
            start(scope, task);
            started++;
        }
        return started;
    }

    /** The same in slots that are free. */
    void startHandedOver(TaskScope scope) {
        int room = slots.takeFree(handedOver.size());
        slots.give(room - startHandedOver(scope, room));
    }

    /** Notes that a task may have been handed over of which nothing is known here. */
    void mayHaveLost() {
        mayHaveLost = true;
    }

    /**
     * Hands back the tasks that nobody here knows of, if there may be any: some were handed over, or, if the caller knows so, claimed, and the
     * answer was lost.
     *
     * @return how many there were
     */
    int releaseLost(Queries queries, String flow, boolean claimed) {
        if (!claimed && !mayHaveLost) {
            return 0;
        }
        mayHaveLost = false;
        try {
            return outcomes.betweenStatements(() -> queries.releaseLost(flow, workerId, known()));
        } catch (DataAccessException e) {
            mayHaveLost = true;
            throw e;
        }
    }

    /** Starts a task, for which a slot was taken. One that cannot be started is handed back. */
    void start(TaskScope scope, Task task) {
        var attempt = new Attempt(task, workerId, clock.instant(), runner.inputOf(task));
        running.add(attempt);
        try {
            var deadline = deadlines.schedule(task.timeout(), () -> timeOut(attempt));
            scope.fork(() -> {
                try {
                    attempt.runsOn(Thread.currentThread());
                    events.taskStarted(attempt);
                    Outcome outcome = run(attempt);
                    deadline.cancel(false);
                    if (attempt.settle()) {
                        outcomes.accept(outcome); // recording is another thread's
                    }
                } finally {
                    end(attempt);
                }
            });
        } catch (RuntimeException | Error e) { // no memory for a thread
            handBack(attempt); // and the deadline finds it settled
            end(attempt);
            log.error("{}", LogLine.of("task_not_started").with(task).with("next", "it is handed back"), e);
        }
    }

    private Outcome run(Attempt attempt) {
        try {
            return runner.run(attempt);
        } catch (RuntimeException
                | Error e) { // the runner tells whatever a handler throws, unless it cannot even be told
            return new Outcome.Failed(
                    attempt,
                    "what the handler threw cannot be told: " + e.getClass().getName());
        }
    }

    private void end(Attempt attempt) {
        running.remove(attempt);
        slots.give(1);
    }

    private void handBack(Attempt attempt) {
        if (attempt.settle()) {
            outcomes.acceptNow(new Outcome.Released(attempt));
        }
    }

    private void timeOut(Attempt attempt) {
        if (attempt.settle()) {
            outcomes.acceptNow(new Outcome.TimedOut(attempt));
            attempt.cancel();
            deadlines.after(TO_NOTICE, () -> {
                if (running.contains(attempt)) {
                    unresponsive(attempt, "its slot is free when it ends");
                }
            });
        }
    }

    private void unresponsive(Attempt attempt, String next) {
        log.warn(
                "{}",
                LogLine.of("handler_unresponsive")
                        .with(attempt.task())
                        .with("count", unresponsive.incrementAndGet())
                        .with("at", attempt.where())
                        .with("next", next));
        events.taskUnresponsive(attempt);
    }

    /** Has handlers interrupted behind a time, by {@link System#nanoTime}, where those that pin their carriers leave none to {@link #drain}. */
    void interruptBehind(long time) {
        var after = Duration.ofNanos(time - System.nanoTime()).plus(BEHIND);
        deadlines.after(after, () -> running.forEach(Attempt::cancel));
    }

    /** Waits until nothing is in hand any more. At the slots' limit handlers are interrupted; what still runs a little later is handed back. */
    void drain(TaskScope scope) throws InterruptedException {
        handBackHandedOver();
        if (slots.awaitAll()) {
            return;
        }
        log.warn(
                "{}",
                LogLine.of("grace_over")
                        .with("worker", workerId)
                        .with("tasks", running.size())
                        .with("next", "they are interrupted"));
        running.forEach(Attempt::cancel);
        scope.cancel();
        if (!slots.awaitAll(TO_NOTICE.toNanos())) {
            handBackRunning();
        }
    }

    /** Hands back tasks whose handlers still run. */
    void handBackRunning() {
        for (Attempt attempt : running) {
            unresponsive(attempt, "the task is handed back while its handler still runs");
            handBack(attempt);
        }
    }

    Slots slots() {
        return slots;
    }

    /** The tasks that were claimed or handed over and whose outcomes are not recorded yet; perhaps some more. */
    private List<Task> known() {
        var waiting = List.copyOf(handedOver); // in this order, lest one is missed on its way
        var running = List.copyOf(this.running);
        var attempts = Stream.concat(running.stream(), outcomes.unrecorded().stream());
        return Stream.concat(waiting.stream(), attempts.map(Attempt::task)).toList();
    }

    int size() {
        return running.size();
    }

    /** What is under way, the longest first. */
    List<ActiveTask> snapshot() {
        return running.stream()
                .map(Attempt::snapshot)
                .sorted(Comparator.comparing(ActiveTask::since))
                .toList();
    }
}
