package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.TestFlows;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Handlers pin all threads that virtual threads run on, as {@code synchronized} does on Java 21. On later versions they only sleep. */
@ExtendWith(TestFlows.Extension.class)
class PinnedCarriersTest {

    private static final int CARRIERS = Runtime.getRuntime().availableProcessors();

    /** More than carriers: the JDK adds some for a while where one blocks in a file or a socket. */
    private static final int HANDLERS = 64 * CARRIERS;

    private static final Duration BEAT = Duration.ofMillis(500);
    private static final Duration PINNED = Duration.ofSeconds(3);

    /** Two workers, each of which would take the other's tasks if that were silent. */
    @Test
    void silenceNoHeartbeat(TestFlows flows) throws Exception {
        var calls = new Calls();
        var pinned = new CountDownLatch(CARRIERS);
        var release = new CountDownLatch(1);
        var builder = Flow.ofList("pinned", Integer.class)
                .maxAttempts(1)
                .timeout(TestFlows.LIMIT.multipliedBy(5)); // no deadline ends what pins
        builder.map("element", Integer.class, builder.input(), builder.context(), (n, task) -> {
            calls.add(task);
            synchronized (new Object()) {
                pinned.countDown();
                while (release.getCount() > 0) {
                    Thread.sleep(10);
                }
            }
            return n;
        });
        var flow = builder.build();
        for (int workers = 0; workers < 2; workers++) {
            flows.start(
                    flows.options()
                            .concurrency(HANDLERS / 2)
                            .heartbeatInterval(BEAT)
                            .recoveryInterval(BEAT),
                    flow);
        }
        flows.client().start(flow, IntStream.range(0, HANDLERS).boxed().toList());
        assertThat(pinned.await(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS))
                .as("all are pinned")
                .isTrue();

        long pinnedSince = System.nanoTime();
        var since = flows.db().fetchSingle("select clock_timestamp()::text").get(0, String.class);
        flows.await("bool_and(last_heartbeat_at > '%s'::timestamptz + interval '%s') from pgflow.workers"
                .formatted(since, PINNED));
        LockSupport.parkNanos(PINNED.toNanos() - (System.nanoTime() - pinnedSince));
        release.countDown();
        flows.awaitAllEnded();

        calls.assertOnceEach(flows.db());
    }
}
