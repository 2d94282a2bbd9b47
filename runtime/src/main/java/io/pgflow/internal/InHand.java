package io.pgflow.internal;

import io.pgflow.WorkerSnapshot.ActiveTask;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
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

    private final UUID workerId;
    private final Slots slots;
    private final TaskRunner runner;
    private final OutcomeWriter outcomes;
    private final Deadlines deadlines;
    private final Events events;
    private final InstantSource clock;
    private final AtomicInteger unresponsive = new AtomicInteger(); // handlers that were, since the start
    private final Set<Attempt> running = ConcurrentHashMap.newKeySet();

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

    /** Starts a task, for which a slot was taken. One that cannot be started is handed back. */
    void start(TaskScope scope, Task task) {
        var attempt = new Attempt(task, workerId, clock.instant(), runner.inputOf(task));
        running.add(attempt);
        var deadline = deadlines.schedule(task.timeout(), () -> timeOut(attempt));
        Runnable whole = () -> {
            attempt.runsOn(Thread.currentThread());
            events.taskStarted(attempt);
            try {
                Outcome outcome = runner.run(attempt);
                deadline.cancel(false);
                if (attempt.settle()) {
                    outcomes.accept(outcome); // recording is another thread's
                }
            } finally {
                end(attempt);
            }
        };
        try {
            scope.fork(whole);
        } catch (RuntimeException | Error e) { // no memory for a thread
            log.error("{}", LogLine.of("task_not_started").with(task).with("next", "it is handed back"), e);
            deadline.cancel(false);
            handBack(attempt);
            end(attempt);
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

    /** Waits until nothing is in hand any more. At the slots' limit handlers are interrupted; what still runs a little later is handed back. */
    void drain(TaskScope scope) throws InterruptedException {
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
            for (Attempt attempt : running) {
                unresponsive(attempt, "the task is handed back while its handler still runs");
                handBack(attempt);
            }
        }
    }

    Slots slots() {
        return slots;
    }

    /** The tasks that were claimed and whose outcomes are not recorded yet; perhaps some more. */
    List<Task> known() {
        var running = List.copyOf(this.running); // before those that have ended, lest one is missed on its way
        return Stream.concat(running.stream(), outcomes.unrecorded().stream())
                .map(Attempt::task)
                .toList();
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
