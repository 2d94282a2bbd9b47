package io.pgflow.benchmark.contenders;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** The runs of one measurement: what their handlers do, and how far they are. Any thread may call it. */
public final class Load {
    /** Far more than any measurement takes: something hangs. */
    private static final Duration LIMIT = Duration.ofMinutes(3);

    private static final Duration HANDLER = Duration.ofMillis(5);

    private final Work work;
    private final int runs;
    private final int elements;
    private final CountDownLatch ended;
    private final AtomicInteger handled = new AtomicInteger();
    private final AtomicLong began = new AtomicLong();

    /**
     * A load of equal runs.
     *
     * @param elements how many elements each map has
     */
    public Load(Work work, int runs, int elements) {
        this.work = work;
        this.runs = runs;
        this.elements = elements;
        this.ended = new CountDownLatch(tasks());
    }

    /** What there is to do in a run. */
    public Work work() {
        return work;
    }

    /** How many runs. */
    public int runs() {
        return runs;
    }

    /** How many elements each map has. */
    public int elements() {
        return elements;
    }

    /** How many tasks all runs have together. */
    public int tasks() {
        return runs * work.tasks(elements);
    }

    /** What a handler does: nothing, or it sleeps. */
    public void handle() throws InterruptedException {
        began.compareAndSet(0, System.nanoTime());
        if (work == Work.MIX && handled.incrementAndGet() % 2 == 0) {
            Thread.sleep(HANDLER);
        }
        ended.countDown();
    }

    /** Whether something is recorded. */
    public interface Recorded {
        /** Asks the database. */
        boolean yet() throws Exception;
    }

    /** Waits until all handlers have ended and all is recorded, and returns how many seconds that took since the first one began. */
    public double secondsUntil(Recorded recorded) throws Exception {
        if (!ended.await(LIMIT.toNanos(), NANOSECONDS)) {
            throw new IllegalStateException(
                    "%d of %d tasks (%s) are not done after %s".formatted(ended.getCount(), tasks(), work, LIMIT));
        }
        while (!recorded.yet()) {
            if (System.nanoTime() - began.get() > LIMIT.toNanos()) {
                throw new IllegalStateException("not all of %d tasks (%s) are recorded".formatted(tasks(), work));
            }
            Thread.sleep(1);
        }
        return (System.nanoTime() - began.get()) / 1e9;
    }
}
