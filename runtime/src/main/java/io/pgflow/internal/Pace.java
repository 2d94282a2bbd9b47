package io.pgflow.internal;

import io.pgflow.WorkerSnapshot.Reason;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * How long a worker waits after each poll, unless something wakes it. For the worker's own thread, but for {@link #announced}.
 *
 * <p>An announcement is followed by silence for as long as the queue's throttle says, whatever is sent meanwhile, and nothing comes at its end.
 * So after an announcement, and after a poll that found something, the next poll comes one throttle later, until one finds nothing. One more comes a
 * little later: who sent during the silence may have committed after it.
 */
final class Pace {

    /** Until the next poll where messages are visible that could not be claimed: others hold them, or what was read was of no use. */
    private static final Duration SOON = Duration.ofMillis(10);

    private final @Nullable Duration throttle;
    private final Duration fallback;
    private final Duration afterwards;
    private final BooleanSupplier listening;
    private final LongSupplier nanoTime;
    private final Backoff idle;
    private final Backoff broken;
    private volatile long activeAt;

    /** A pause, and what for. */
    record Pause(Duration length, Reason reason) {}

    /**
     * Begins.
     *
     * @param throttle the queue's, as it is in the database; null if it announces nothing
     * @param listening whether announcements arrive at the moment
     */
    Pace(
            WorkerSettings settings,
            @Nullable Duration throttle,
            BooleanSupplier listening,
            LongSupplier nanoTime,
            RandomGenerator random) {
        this.throttle = throttle;
        this.fallback = settings.notifyFallback();
        this.afterwards = settings.minPollInterval();
        this.listening = listening;
        this.nanoTime = nanoTime;
        this.idle = new Backoff(settings.minPollInterval(), settings.maxPollInterval(), random);
        this.broken = new Backoff(Duration.ofMillis(100), settings.maxPollInterval(), random);
        this.activeAt = nanoTime.getAsLong();
    }

    boolean announcing() {
        return throttle != null;
    }

    boolean listening() {
        return throttle != null && listening.getAsBoolean();
    }

    /** Notes that something was announced. Any thread may call it. */
    void announced() {
        activeAt = nanoTime.getAsLong();
    }

    /** The pause after a poll for so many tasks. */
    Pause after(int asked, Queries.Claim claim) {
        broken.reset();
        int got = claim.tasks().size();
        if (got == asked) {
            return new Pause(Duration.ZERO, Reason.FREE_SLOT); // there may be more, as soon as a slot is free
        }
        Duration silence = listening.getAsBoolean() ? throttle : null;
        if (got > 0) {
            idle.reset();
            activeAt = nanoTime.getAsLong();
            return silence != null ? new Pause(silence, Reason.ANNOUNCEMENT) : new Pause(afterwards, Reason.NEXT_POLL);
        }
        Pause longest = silence != null ? untilFallback(silence) : new Pause(idle.next(), Reason.NEXT_POLL);
        return claim.nextVisible()
                .map(delay -> delay.isZero() ? SOON : delay)
                .filter(delay -> delay.compareTo(longest.length()) < 0)
                .map(delay -> new Pause(delay, Reason.HIDDEN_TASK))
                .orElse(longest);
    }

    private Pause untilFallback(Duration silence) {
        long active = nanoTime.getAsLong() - activeAt;
        for (Duration after : new Duration[] {silence, afterwards}) {
            if (active < after.toNanos()) {
                return new Pause(Duration.ofNanos(after.toNanos() - active), Reason.ANNOUNCEMENT);
            }
        }
        return new Pause(fallback, Reason.ANNOUNCEMENT);
    }

    /** The pause after a poll that got no answer: such pauses grow. */
    Pause afterFailure() {
        return new Pause(broken.next(), Reason.DATABASE);
    }
}
