package io.pgflow.internal;

import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for the ends of runs. One thread looks for all runs that are awaited in this process, in one statement: at once where a run is new, when
 * the database announces that an awaited run has ended, and, as announcements are hints, every few seconds. Those who wait hold no connection.
 *
 * <p>No end is missed: {@code pgflow.await_runs} marks a run or finds it ended or finds it being changed; a marked one's end is announced, and
 * one that was being changed is looked at again soon. The thread ends when nobody has waited for a while. Any thread may call.
 */
public final class RunWatch implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RunWatch.class);

    /** How long after a look the next one is at least, if that took no time: announcements may come by the thousand. */
    private static final Duration SHORTEST_GAP = Duration.ofMillis(5);

    /** The share of its time that the thread may spend with looking is one of this and one, unless looks are slow. */
    private static final int GAP_PER_LOOK = 4;

    /** How long after a look the next one is at most, if due: what took long may have been the wait for a connection in an outage. */
    private static final Duration LONGEST_GAP = Duration.ofSeconds(1);

    /** How long the thread and what it listens with are kept while nobody waits. */
    private static final Duration IDLE = Duration.ofSeconds(30);

    /** How long closing waits for a look that is under way. */
    private static final Duration LAST_LOOK = Duration.ofSeconds(2);

    /**
     * How often the runs are looked at where nothing is announced.
     *
     * @param least the first pause where announcements are heard
     * @param most the longest such pause
     * @param unheard the longest pause while a run's end would go unheard
     */
    public record Pauses(Duration least, Duration most, Duration unheard) {
        /** A second, growing to five; at most one where announcements would not be heard. */
        public static final Pauses DEFAULT =
                new Pauses(Duration.ofSeconds(1), Duration.ofSeconds(5), Duration.ofSeconds(1));
    }

    /** Hears what is announced on {@link #CHANNEL}, until it is closed. */
    public interface Ear extends AutoCloseable {
        /** Whether announcements are heard at the moment. What was announced before is lost, and is to be reported as one. */
        boolean hears();

        @Override
        void close();
    }

    /** Where the database announces that an awaited run has ended. */
    static final String CHANNEL = "pgflow.run_ended";

    private static final class Awaited {
        final CompletableFuture<@Nullable Void> answer = new CompletableFuture<>();
        int waiting; // guarded by the map
    }

    private final ClientQueries queries;
    private final Function<Runnable, Ear> ears;
    private final Backoff slow;
    private final Backoff quick;
    private final Backoff broken;
    private final Map<UUID, Awaited> runs = new ConcurrentHashMap<>();
    private final Wake wake = new Wake();
    private final ReentrantLock life = new ReentrantLock();
    private @Nullable Thread thread; // guarded by life
    private long usedAt; // guarded by life
    private volatile boolean closed;
    private volatile boolean joined;

    /**
     * Prepares; the thread is started when somebody waits.
     *
     * @param ears opens an ear that calls what it is given at each announcement; called by the thread, which closes it
     */
    public RunWatch(ClientQueries queries, Function<Runnable, Ear> ears, Pauses pauses) {
        this.queries = queries;
        this.ears = ears;
        var random = new Random();
        this.slow = new Backoff(pauses.least(), pauses.most(), random);
        this.quick = new Backoff(Duration.ofMillis(20), pauses.unheard(), random);
        this.broken = new Backoff(Duration.ofMillis(100), pauses.most(), random);
    }

    /**
     * Waits until a run has ended, or is found not to be there.
     *
     * @param until {@link System#nanoTime} at which to give up
     * @return false if that time has come before
     * @throws InterruptedException if the thread was interrupted
     * @throws IllegalStateException if this is closed, also meanwhile
     * @throws RuntimeException what the database says for good, as that the role may not look
     */
    public boolean await(UUID run, long until) throws InterruptedException {
        Awaited awaited = runs.compute(run, (id, there) -> {
            Awaited shared = there == null ? new Awaited() : there;
            shared.waiting++;
            return shared;
        });
        try {
            look(awaited);
            awaited.answer.get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException refused ? refused : new IllegalStateException(e.getCause());
        } finally {
            runs.computeIfPresent(run, (id, there) -> there == awaited && --there.waiting == 0 ? null : there);
        }
    }

    /** Wakes who waits for this run: this process itself has recorded its end. */
    void ended(UUID run) {
        Awaited awaited = runs.remove(run);
        if (awaited != null) {
            awaited.answer.complete(null);
        }
    }

    /** Looks soon: an awaited run has ended, here or elsewhere, or announcements may have been lost. */
    void announced() {
        if (!runs.isEmpty()) {
            wake.signal();
        }
    }

    private void look(Awaited awaited) {
        life.lock();
        try {
            if (closed) {
                awaited.answer.completeExceptionally(closedError());
                return;
            }
            usedAt = System.nanoTime();
            joined = true;
            if (thread == null) {
                thread = Thread.ofPlatform().daemon().name("pgflow-await").start(this::run);
            }
        } finally {
            life.unlock();
        }
        wake.signal();
    }

    private void run() {
        try (Ear ear = ears.apply(this::announced)) {
            Duration pause = Duration.ZERO;
            long notBefore = System.nanoTime();
            do {
                wake.await(pause);
                TimeUnit.NANOSECONDS.sleep(notBefore - System.nanoTime());
                long began = System.nanoTime();
                pause = runs.isEmpty() ? IDLE : look(ear);
                long ended = System.nanoTime();
                notBefore = ended
                        + Math.clamp(GAP_PER_LOOK * (ended - began), SHORTEST_GAP.toNanos(), LONGEST_GAP.toNanos());
            } while (!isDone());
        } catch (InterruptedException e) {
            throw new IllegalStateException("this thread is never interrupted", e);
        }
    }

    private boolean isDone() {
        life.lock();
        try {
            boolean idle = runs.isEmpty() && System.nanoTime() - usedAt >= IDLE.toNanos();
            if (idle || closed) {
                thread = null;
            }
            return idle || closed;
        } finally {
            life.unlock();
        }
    }

    /** Looks at all awaited runs; gives the pause after it. */
    private Duration look(Ear ear) {
        if (joined) {
            joined = false;
            slow.reset();
            quick.reset();
        }
        Map<UUID, Awaited> asked = Map.copyOf(runs);
        boolean heard = ear.hears(); // asked before looking: what is announced from here on will be heard
        try {
            Map<UUID, Boolean> going = queries.await(asked.keySet());
            asked.forEach((run, awaited) -> {
                if (!going.containsKey(run) && runs.remove(run, awaited)) {
                    awaited.answer.complete(null);
                }
            });
            broken.reset();
            return heard && !going.containsValue(false) ? slow.next() : quick.next();
        } catch (DataAccessException e) {
            Duration pause = broken.next();
            log.warn(
                    "{}",
                    LogLine.of("awaited_runs_not_read")
                            .with("runs", asked.size())
                            .with("again_in", pause)
                            .with("error", SqlErrors.describe(e)));
            return pause;
        } catch (RuntimeException | Error e) { // for good
            asked.forEach((run, awaited) -> {
                runs.remove(run, awaited);
                awaited.answer.completeExceptionally(e);
            });
            return Duration.ZERO;
        }
    }

    /** Ends all waits with an error, and the thread. The runs go on. */
    @Override
    public void close() {
        Thread looking;
        life.lock();
        try {
            closed = true;
            looking = thread;
        } finally {
            life.unlock();
        }
        wake.signal();
        runs.values().forEach(awaited -> awaited.answer.completeExceptionally(closedError()));
        if (looking != null) {
            Thread ending = looking;
            Engine.uninterrupted(() -> ending.join(LAST_LOOK));
        }
    }

    private static IllegalStateException closedError() {
        return new IllegalStateException("the client is closed; the run goes on");
    }
}
