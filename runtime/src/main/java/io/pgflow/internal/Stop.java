package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The stop of a process's workers: whoever asks first begins it, with one limit for all, and it ends within that limit and {@link #AFTER_GRACE}. It
 * may be asked for before the workers are there. Any thread may call it.
 */
public final class Stop {

    /** From the end of the grace until everything has ended, one way or another. A JVM then takes 0.3 s more, for threads that are in native code. */
    static final Duration AFTER_GRACE = Duration.ofSeconds(4);

    /** How often waits look whether the grace was cut short. */
    private static final Duration GLANCE = Duration.ofMillis(200);

    private final Duration grace;
    private final ReentrantLock lock = new ReentrantLock();
    private final CountDownLatch ended = new CountDownLatch(1);
    private @Nullable LongConsumer action;
    private volatile boolean requested;
    private volatile long graceEndsAt; // nanoTime; once requested

    /** A stop that leaves tasks in hand as much time as the settings say. */
    public Stop(WorkerSettings settings) {
        this.grace = settings.grace();
    }

    /** Begins the stop; one that has begun goes on. */
    public void request() {
        lock.lock();
        try {
            if (!requested) {
                graceEndsAt = System.nanoTime() + grace.toNanos();
                requested = true;
                act();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Begins the stop, or makes one that has begun go on without grace. */
    public void skipGrace() {
        request();
        lock.lock();
        try {
            long now = System.nanoTime();
            if (now - graceEndsAt < 0) {
                graceEndsAt = now;
                act();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Has this called when the stop begins, and again if its grace is cut short, with the time at which the grace ends, by {@link System#nanoTime}. */
    void onRequest(LongConsumer whatToDo) {
        lock.lock();
        try {
            action = whatToDo;
            if (requested) {
                act();
            }
        } finally {
            lock.unlock();
        }
    }

    private void act() {
        if (action != null) {
            action.accept(graceEndsAt);
        }
    }

    /**
     * Goes on with a start, unless it shall stop.
     *
     * @throws PgflowException.StoppedWhileStarting if so
     */
    void checkpoint() {
        if (requested) {
            throw new PgflowException.StoppedWhileStarting();
        }
    }

    boolean requested() {
        return requested;
    }

    /** Until so long after the grace, once requested; zero or less if that is over. */
    Duration left(Duration afterGrace) {
        return Duration.ofNanos(graceEndsAt + afterGrace.toNanos() - System.nanoTime());
    }

    /** Says that everything has ended. */
    public void ended() {
        ended.countDown();
    }

    /** Waits until everything has ended, for as long as a stop may take. An interrupt does not end that; it is kept. */
    public void awaitEnd() {
        await(AFTER_GRACE, limit -> ended.await(limit.toNanos(), TimeUnit.NANOSECONDS));
    }

    /** Something to wait for. */
    interface Step {
        /** Waits so long at most; true if there is nothing to wait for any more. */
        boolean await(Duration limit) throws InterruptedException;
    }

    /** Waits until so long after the grace, which may be cut short meanwhile; false if that was too short. An interrupt does not end that; it is kept. */
    boolean await(Duration afterGrace, Step step) {
        boolean interrupted = false;
        try {
            while (true) {
                Duration left = left(afterGrace);
                try {
                    if (step.await(left.compareTo(GLANCE) < 0 ? left : GLANCE)) {
                        return true;
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                }
                if (!left.isPositive()) {
                    return false;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
