package io.pgflow.internal;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** The slots of a worker: each is free, or taken by a task. Any thread may call it; one takes them. */
final class Slots {

    private final int all;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private int free;
    private boolean closed;
    private long limit; // nanoTime; once closed

    Slots(int all) {
        this.all = all;
        this.free = all;
    }

    /** Waits for a free one, and takes as many as are free, up to so many; none once closed. */
    int take(int most) throws InterruptedException {
        lock.lock();
        try {
            while (free == 0 && !closed) {
                changed.await();
            }
            int taken = closed ? 0 : Math.min(free, most);
            free -= taken;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** Gives some back. */
    void give(int slots) {
        lock.lock();
        try {
            free += slots;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Lets nobody take one any more.
     *
     * @param awaitAllUntil when {@link #awaitAll} gives up, by {@link System#nanoTime}; of several calls the earliest counts
     */
    void close(long awaitAllUntil) {
        lock.lock();
        try {
            limit = closed && limit - awaitAllUntil < 0 ? limit : awaitAllUntil;
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until all are free; false if that took too long. Comes after {@link #close}. */
    boolean awaitAll() throws InterruptedException {
        return awaitAll(0);
    }

    /** The same for some time longer. */
    boolean awaitAll(long moreNanos) throws InterruptedException {
        lock.lock();
        try {
            while (free < all) {
                long left = limit + moreNanos - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                changed.await(left, TimeUnit.NANOSECONDS);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    int free() {
        lock.lock();
        try {
            return free;
        } finally {
            lock.unlock();
        }
    }
}
