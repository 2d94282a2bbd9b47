package io.pgflow.internal;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Calls back when a time is over, on a thread of its own: a platform thread, which pinned carriers cannot hold up. Once closed it does nothing. */
final class Deadlines implements AutoCloseable {

    private final ScheduledThreadPoolExecutor timer;

    Deadlines() {
        timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("pgflow-deadlines").factory());
        timer.setRemoveOnCancelPolicy(true); // most are cancelled, long before their time
        timer.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
    }

    /** Runs the action after so long, unless cancelled. It must be short. */
    Future<?> schedule(Duration after, Runnable action) {
        return timer.schedule(action, after.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** The same without a way to cancel it. */
    void after(Duration time, Runnable action) {
        var unused = schedule(time, action);
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
