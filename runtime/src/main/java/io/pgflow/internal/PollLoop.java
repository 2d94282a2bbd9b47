package io.pgflow.internal;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.pgflow.Flow;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The worker of one flow: claims no more tasks than it has free slots, and gives each a virtual thread of its own. {@link #run} is for the worker's
 * own thread, which opens the scope and forks the tasks; the other methods are for any thread.
 */
final class PollLoop implements Runnable {

    private static final Logger log = LoggerFactory.getLogger(PollLoop.class);

    /** The most tasks that one claim takes: larger ones are no faster, and hold their transaction longer. */
    static final int LARGEST_CLAIM = 200;

    /** How long handlers that were interrupted may take to notice. */
    private static final Duration AFTER_INTERRUPT = Duration.ofSeconds(1);

    private final Flow<?> flow;
    private final UUID workerId;
    private final WorkerSettings settings;
    private final Queries queries;
    private final RunInputs runInputs;
    private final TaskRunner runner;
    private final OutcomeWriter outcomes;
    private final Events events;
    private final Deadlines deadlines;
    private final BooleanSupplier announced;
    private final InstantSource clock;
    private final Backoff idle;
    private final Backoff broken;

    private final Semaphore slots;
    private final Wake wake = new Wake();
    private final Set<Attempt> running = ConcurrentHashMap.newKeySet();
    private final AtomicInteger unresponsive = new AtomicInteger(); // handlers that were, since the start
    private final CountDownLatch drained = new CountDownLatch(1);
    private volatile boolean stopping;
    private volatile Instant interruptAt = Instant.MAX;

    /** Polls for a flow; {@code announced} says whether new messages are announced at the moment, so that polling may be rare. */
    PollLoop(
            Flow<?> flow,
            UUID workerId,
            WorkerSettings settings,
            Queries queries,
            TaskRunner runner,
            OutcomeWriter outcomes,
            Events events,
            Deadlines deadlines,
            BooleanSupplier announced,
            InstantSource clock,
            RandomGenerator random) {
        this.flow = flow;
        this.workerId = workerId;
        this.settings = settings;
        this.queries = queries;
        this.runInputs = new RunInputs(flow, queries);
        this.runner = runner;
        this.outcomes = outcomes;
        this.events = events;
        this.deadlines = deadlines;
        this.announced = announced;
        this.clock = clock;
        this.idle = new Backoff(settings.minPollInterval(), settings.maxPollInterval(), random);
        this.broken = new Backoff(Duration.ofMillis(100), settings.maxPollInterval(), random);
        this.slots = new Semaphore(settings.concurrency());
    }

    UUID workerId() {
        return workerId;
    }

    Flow<?> flow() {
        return flow;
    }

    /** Polls now: there may be something to do. */
    void wake() {
        wake.signal();
    }

    /**
     * Claims no more. What was claimed goes on until the given instant; then handlers are interrupted, and their tasks handed back. A later call can
     * only shorten the time.
     */
    void stop(Instant interruptHandlersAt) {
        interruptAt = interruptHandlersAt;
        if (!stopping) {
            stopping = true;
            slots.release(); // one more than there are: the loop may wait for one
        }
        wake.signal();
    }

    /** Waits until no task is in hand any more; those whose handlers would not end have been handed back. False if that took too long. */
    boolean awaitDrained(Duration limit) throws InterruptedException {
        return drained.await(limit.toNanos(), NANOSECONDS);
    }

    /** Waits until the worker has stopped, for whatever reason. */
    void awaitDrained() throws InterruptedException {
        drained.await();
    }

    @Override
    public void run() {
        try (var scope = TaskScope.open(settings.name(flow))) {
            try {
                poll(scope);
                drain(scope);
            } finally {
                events.answered(claiming()); // it asks no more
                drained.countDown();
                scope.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void poll(TaskScope scope) throws InterruptedException {
        while (!stopping) {
            int room = awaitRoom();
            if (stopping) {
                slots.release(room);
                return;
            }
            wake.await(claim(scope, room));
        }
    }

    /** Claims tasks for the slots taken and starts them; gives the pause after it. Whatever goes wrong costs a pause, and no slot. */
    private Duration claim(TaskScope scope, int room) {
        int unused = room;
        long beganAt = System.nanoTime();
        events.pollStarted(workerId, flow.slug(), running.size());
        try {
            List<Task> tasks = runInputs.fill(queries.claim(flow.slug(), workerId, room));
            for (Task task : tasks) {
                start(scope, task);
                unused--;
            }
            events.pollEnded(workerId, flow.slug(), running.size(), beganAt, tasks.size(), tasks.size());
            events.answered(claiming());
            broken.reset();
            return pauseAfter(room, tasks.size());
        } catch (DataAccessException e) {
            Duration pause = broken.next();
            events.unanswered(claiming(), SqlErrors.describe(e));
            log.warn("{}", line("poll_failed").with("again_in", pause).with("error", SqlErrors.describe(e)));
            return pause;
        } catch (RuntimeException e) {
            Duration pause = broken.next();
            log.error(
                    "{}",
                    line("poll_failed").with("again_in", pause).with("error", ErrorText.say(e)),
                    PrintableError.of(e));
            return pause;
        } finally {
            slots.release(unused);
        }
    }

    /** Waits for a free slot, and takes as many as are free, up to a claim's worth. */
    private int awaitRoom() throws InterruptedException {
        slots.acquire();
        int room = 1;
        while (room < Math.min(settings.concurrency(), LARGEST_CLAIM) && slots.tryAcquire()) {
            room++;
        }
        return room;
    }

    private Duration pauseAfter(int asked, int got) {
        if (got == asked) {
            return Duration.ZERO; // there may be more, as soon as a slot is free
        }
        if (got > 0) {
            idle.reset();
            // announcements are swallowed for so long after one that was made
            return settings.notifyThrottle();
        }
        Duration longest = announced.getAsBoolean() ? settings.notifyFallback() : idle.next();
        // nothing announces a hidden message: a retry, a start delay, what a worker that died had in hand
        return queries.nextMessageDelay(flow.slug())
                .filter(delay -> delay.compareTo(longest) < 0)
                .orElse(longest);
    }

    private void start(TaskScope scope, Task task) {
        var attempt = new Attempt(task, workerId, clock.instant().plus(task.timeout()));
        running.add(attempt);
        var deadline = deadlines.schedule(task.timeout(), () -> timeOut(attempt));
        scope.fork(() -> {
            attempt.runsOn(Thread.currentThread());
            events.taskStarted(attempt);
            try {
                Outcome outcome = runner.run(attempt);
                deadline.cancel(false);
                if (attempt.settle()) {
                    outcomes.accept(outcome); // recording is another thread's
                }
            } finally {
                running.remove(attempt);
                slots.release();
            }
        });
    }

    private void timeOut(Attempt attempt) {
        if (attempt.settle()) {
            outcomes.acceptNow(new Outcome.TimedOut(attempt));
            attempt.cancel();
            var unused = deadlines.schedule(AFTER_INTERRUPT, () -> {
                if (running.contains(attempt)) {
                    unresponsive(attempt, "its slot is free when it ends");
                }
            });
        }
    }

    private void drain(TaskScope scope) throws InterruptedException {
        int all = settings.concurrency() + 1; // with the one that stop() added
        if (!running.isEmpty()) {
            log.info("{}", line("worker_drains").with("tasks", running.size()));
        }
        if (awaitSlots(all, interruptAt)) {
            return;
        }
        log.warn("{}", line("grace_over").with("interrupted", running.size()));
        running.forEach(Attempt::cancel);
        scope.cancel();
        if (!awaitSlots(all, clock.instant().plus(AFTER_INTERRUPT))) {
            for (Attempt attempt : running) {
                if (attempt.settle()) {
                    unresponsive(attempt, "the task is handed back while its handler still runs");
                    outcomes.acceptNow(new Outcome.Released(attempt));
                }
            }
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

    /** What this does, where outages are told. */
    private String claiming() {
        return "claiming tasks of flow " + flow.slug();
    }

    private LogLine line(String event) {
        return LogLine.of(event).with("flow", flow.slug()).with("worker", workerId);
    }

    /** Waits for all slots; the limit may come nearer meanwhile. */
    private boolean awaitSlots(int all, Instant limit) throws InterruptedException {
        return slots.tryAcquire(
                all, Math.max(0, Duration.between(clock.instant(), limit).toNanos()), NANOSECONDS);
    }
}
