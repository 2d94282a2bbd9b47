package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SlotsTest {

    private static long in(Duration time) {
        return System.nanoTime() + time.toNanos();
    }

    private static final Duration LONG = Duration.ofHours(1);

    @Test
    void areTakenAsManyAsAreFreeUpToTheNumberAskedFor() throws InterruptedException {
        var slots = new Slots(5);

        assertThat(slots.take(3)).isEqualTo(3);
        assertThat(slots.take(3)).isEqualTo(2);
        slots.give(1);
        assertThat(slots.take(3)).isEqualTo(1);
        assertThat(slots.free()).isZero();
    }

    /** Takes on a thread of its own, which waits by then. */
    private static Thread taking(Slots slots, AtomicInteger taken) throws InterruptedException {
        var begun = new CountDownLatch(1);
        var thread = Thread.ofPlatform().start(() -> {
            begun.countDown();
            try {
                taken.set(slots.take(3));
            } catch (InterruptedException e) {
                taken.set(-2);
            }
        });
        begun.await();
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        return thread;
    }

    @Test
    void areWaitedForWhileNoneIsFree() throws InterruptedException {
        var slots = new Slots(1);
        slots.take(1);
        var taken = new AtomicInteger(-1);
        var thread = taking(slots, taken);

        slots.give(1);
        thread.join();

        assertThat(taken).hasValue(1);
    }

    @Test
    void areNotGivenOnceClosedNotEvenToThoseWhoWait() throws InterruptedException {
        var slots = new Slots(1);
        slots.take(1);
        var taken = new AtomicInteger(-1);
        var thread = taking(slots, taken);

        slots.close(in(LONG));
        thread.join();
        slots.give(1);

        assertThat(taken).hasValue(0);
        assertThat(slots.take(1)).isZero();
        assertThat(slots.awaitAll()).isTrue();
    }

    @Test
    void areAwaitedUntilTheEarliestLimit() throws InterruptedException {
        var slots = new Slots(1);
        slots.take(1);

        slots.close(in(LONG));
        slots.close(in(Duration.ZERO));
        slots.close(in(LONG));

        assertThat(slots.awaitAll()).isFalse();
    }
}
