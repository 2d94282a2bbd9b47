package io.pgflow.internal;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The slots of a worker: each is free, or taken by a task. Any thread may call it; one waits for them. */
final class Slots {

    /** How late a limit may be noticed that is set while somebody waits for an earlier one. */
    private static final Duration LOOK_AGAIN = Duration.ofMillis(50);

    private final int all;
    private final Semaphore free; // once closed, with a permit more: it wakes whoever waits for one
    private final AtomicReference<@Nullable Long> limit = new AtomicReference<>(); // nanoTime; null until closed

    Slots(int all) {
        this.all = all;
        this.free = new Semaphore(all);
    }

    /** Waits for a free one, and takes as many as are free, up to so many; none once closed. */
    int take(int most) throws InterruptedException {
        return take(most, 1, Duration.ZERO);
    }

    /** The same, but if fewer than enough are free, it waits so much longer for these. */
    int take(int most, int enough, Duration longer) throws InterruptedException {
        free.acquire();
        int taken = 1 + acquire(most - 1);
        int missing = Math.min(most, enough) - taken;
        if (missing > 0) {
            taken += free.tryAcquire(missing, longer.toNanos(), NANOSECONDS) ? missing : 0;
            taken += acquire(most - taken);
        }
        return unlessClosed(taken);
    }

    /** Takes as many as are free, up to so many, without waiting; none once closed. */
    int takeFree(int most) {
        return unlessClosed(acquire(most));
    }

    private int unlessClosed(int taken) {
        if (limit.get() != null) {
            free.release(taken);
            return 0;
        }
        return taken;
    }

    private int acquire(int most) {
        int taken = 0;
        while (taken < most && free.tryAcquire()) {
            taken++;
        }
        return taken;
    }

    /** Gives some back. */
    void give(int slots) {
        free.release(slots);
    }

    /**
     * Lets nobody take one any more.
     *
     * @param awaitAllUntil when {@link #awaitAll} gives up, by {@link System#nanoTime}; of several calls the earliest counts
     */
    void close(long awaitAllUntil) {
        Long before = limit.getAndUpdate(
                earlier -> earlier != null && earlier - awaitAllUntil < 0 ? earlier : Long.valueOf(awaitAllUntil));
        if (before == null) {
            free.release();
        }
    }

    /** Waits until all are free; false if that took too long, or this is not closed. */
    boolean awaitAll() throws InterruptedException {
        return awaitAll(0);
    }

    /** The same for some time longer. */
    boolean awaitAll(long moreNanos) throws InterruptedException {
        while (true) {
            Long until = limit.get();
            long left = until == null ? 0 : Math.max(0, until + moreNanos - System.nanoTime());
            if (free.tryAcquire(all + 1, Math.min(left, LOOK_AGAIN.toNanos()), NANOSECONDS)) {
                free.release(all + 1);
                return true;
            }
            if (left == 0) {
                return false;
            }
        }
    }

    boolean closed() {
        return limit.get() != null;
    }

    int free() {
        return free.availablePermits() - (limit.get() == null ? 0 : 1);
    }
}
