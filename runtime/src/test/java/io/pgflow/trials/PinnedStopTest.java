package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.TestFlows;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A stop whose grace is over while handlers pin all threads that virtual threads run on, as {@code synchronized} does on Java 21. */
@ExtendWith(TestFlows.Extension.class)
class PinnedStopTest {

    private static final int CARRIERS = Runtime.getRuntime().availableProcessors();

    /** More than carriers: the JDK adds some for a while where one blocks in a file or a socket. */
    private static final int HANDLERS = 64 * CARRIERS;

    /**
     * A worker all of whose carriers are pinned by handlers that do what is given: once it has stopped, the tasks are queued again, and uncharged, and
     * the next worker does them.
     *
     * @param whilePinned is told whether that one is there
     */
    private static void assertHandedBack(TestFlows flows, String slug, Consumer<AtomicBoolean> whilePinned)
            throws Exception {
        var pinned = new CountDownLatch(CARRIERS);
        var next = new AtomicBoolean();
        var builder = Flow.ofList(slug, Integer.class).timeout(TestFlows.LIMIT.multipliedBy(5));
        builder.map("element", Integer.class, builder.input(), n -> {
            if (!next.get()) {
                synchronized (new Object()) {
                    pinned.countDown();
                    whilePinned.accept(next);
                }
            }
            return n;
        });
        var flow = builder.build();
        var workers = flows.start(flows.options().concurrency(HANDLERS).grace(Duration.ZERO), flow);
        flows.client().start(flow, IntStream.range(0, HANDLERS).boxed().toList());
        assertThat(pinned.await(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS))
                .as("all are pinned")
                .isTrue();

        workers.close();

        assertThat(flows.db()
                        .fetchValue(
                                "select array_agg(distinct concat_ws(' ', status, attempts_count, requeued_count))::text"
                                        + " from pgflow.step_tasks where flow_slug = ?",
                                slug))
                .isEqualTo("{\"queued 0 0\"}");
        next.set(true);
        flows.start(flow);
        flows.awaitAllEnded();
    }

    @Test
    void interruptsHandlers(TestFlows flows) throws Exception {
        assertHandedBack(flows, "pinned_until_interrupted", next -> {
            try {
                new CountDownLatch(1).await(); // until it is interrupted
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void handsBackWhatGoesOn(TestFlows flows) throws Exception {
        assertHandedBack(flows, "pinned_for_good", next -> {
            while (!next.get()) {
                LockSupport.parkNanos(10_000_000);
                Thread.interrupted(); // whatever happens
            }
        });
    }
}
