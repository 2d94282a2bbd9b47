package io.pgflow.internal;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Pauses that grow while nothing changes, and differ between workers: each is random between the least and three times the last, at most the
 * most. For one thread.
 */
public final class Backoff {

    private final long least;
    private final long most;
    private final RandomGenerator random;
    private long last;

    /** Begins with pauses near the least. */
    public Backoff(Duration least, Duration most, RandomGenerator random) {
        this.least = least.toMillis();
        this.most = most.toMillis();
        this.random = random;
        this.last = this.least;
    }

    /** The next pause. */
    public Duration next() {
        last = random.nextLong(least, Math.min(most, Math.max(least, last * 3)) + 1);
        return Duration.ofMillis(last);
    }

    /** Starts again at the least: something changed. */
    void reset() {
        last = least;
    }
}
