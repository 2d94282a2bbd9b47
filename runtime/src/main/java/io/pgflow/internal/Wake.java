package io.pgflow.internal;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Wakes one waiting thread, or the next that would wait. Signals do not add up. */
final class Wake {

    private final Semaphore signal = new Semaphore(0);

    /** Ends the wait. */
    void signal() {
        if (signal.availablePermits() == 0) {
            signal.release();
        }
    }

    /** Waits for a signal, at most so long; a signal since the last wait counts. */
    void await(Duration limit) throws InterruptedException {
        if (signal.tryAcquire(limit.toNanos(), TimeUnit.NANOSECONDS)) {
            signal.drainPermits();
        }
    }
}
