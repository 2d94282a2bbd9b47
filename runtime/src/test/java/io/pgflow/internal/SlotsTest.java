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

    /** Takes slots. */
    private interface Taking {
        int call() throws InterruptedException;
    }

    /** Takes on a thread of its own, which waits by then. */
    private static Thread taking(Taking taking, Thread.State waiting, AtomicInteger taken) throws InterruptedException {
        var begun = new CountDownLatch(1);
        var thread = Thread.ofPlatform().start(() -> {
            begun.countDown();
            try {
                taken.set(taking.call());
            } catch (InterruptedException e) {
                taken.set(-2);
            }
        });
        begun.await();
        while (thread.getState() != waiting) {
            Thread.onSpinWait();
        }
        return thread;
    }

    @Test
    void areWaitedForWhileNoneIsFree() throws InterruptedException {
        var slots = new Slots(1);
        slots.take(1);
        var taken = new AtomicInteger(-1);
        var thread = taking(() -> slots.take(3), Thread.State.WAITING, taken);

        slots.give(1);
        thread.join();

        assertThat(taken).hasValue(1);
    }

    @Test
    void areWaitedForUntilThereAreEnough() throws InterruptedException {
        var slots = new Slots(5);
        slots.take(4);
        var taken = new AtomicInteger(-1);
        var thread = taking(() -> slots.take(5, 3, LONG), Thread.State.TIMED_WAITING, taken);

        slots.give(1);
        assertThat(taken).hasValue(-1);
        slots.give(1);
        thread.join();

        assertThat(taken).hasValue(3);
    }

    @Test
    void areTakenThoughTooFewWhenTheTimeIsOver() throws InterruptedException {
        var slots = new Slots(3);
        slots.take(1);

        assertThat(slots.take(3, 3, Duration.ofMillis(1))).isEqualTo(2);
    }

    @Test
    void areNotWaitedForOnceThereAreEnough() throws InterruptedException {
        var slots = new Slots(5);
        slots.take(2);

        assertThat(slots.take(5, 2, Duration.ofDays(1))).isEqualTo(3);
    }

    @Test
    void areNotGivenOnceClosedNotEvenToThoseWhoWait() throws InterruptedException {
        var slots = new Slots(1);
        slots.take(1);
        var taken = new AtomicInteger(-1);
        var thread = taking(() -> slots.take(3), Thread.State.WAITING, taken);

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
