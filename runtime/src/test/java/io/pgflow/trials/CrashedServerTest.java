package io.pgflow.trials;

import io.pgflow.TestFlows;
import java.time.Duration;
import java.util.Collections;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The server stops at once, whatever it is doing, and is started again. */
@Tag("long")
class CrashedServerTest {

    private static final Duration BEAT = Duration.ofMillis(500);

    private TrialServer server;
    private TestFlows flows;

    @BeforeEach
    void start() throws Exception {
        server = new TrialServer();
        flows = TestFlows.on(server.database(), server.database());
    }

    @AfterEach
    void stop() throws Exception {
        try {
            flows.close();
        } finally {
            server.close();
        }
    }

    @Test
    void costsNoTaskUnderLoad() throws Exception {
        var calls = new Calls();
        var flow = SumOfSquares.flow("crashed_server", calls::add);
        for (int workers = 0; workers < 2; workers++) {
            flows.start(flows.options().concurrency(50).heartbeatInterval(BEAT).recoveryInterval(BEAT), flow);
        }
        flows.client().startAll(flow, Collections.nCopies(60, 98));

        for (int done : new int[] {1_500, 3_500}) {
            flows.await("count(*) >= " + done + " from pgflow.step_tasks where status = 'completed'");
            server.crash();
            server.restart();
        }
        flows.awaitAllEnded();

        SumOfSquares.assertRight(flows.db(), "crashed_server", 60);
        calls.assertOnceEach(flows.db());
    }

    /** Every heartbeat is old then, and each worker finds the other's so. */
    @Test
    void runsNoTaskTwiceAfterTwentySeconds() throws Exception {
        var calls = new Calls();
        var inHand = new CountDownLatch(20);
        var outage = new CountDownLatch(1);
        var flow = SumOfSquares.flow("stopped_server", task -> {
            calls.add(task);
            if (task.stepSlug().equals("square")) {
                inHand.countDown();
                outage.await();
            }
        });
        for (int workers = 0; workers < 2; workers++) {
            flows.start(flows.options().concurrency(10).heartbeatInterval(BEAT).recoveryInterval(BEAT), flow);
        }
        flows.client().startAll(flow, Collections.nCopies(4, 20));
        inHand.await();

        server.crash();
        LockSupport.parkNanos(Duration.ofSeconds(20).toNanos()); // the outage
        server.restart();
        flows.await("count(*) = 2 from pgflow.workers where last_heartbeat_at > pg_postmaster_start_time()");
        LockSupport.parkNanos(BEAT.multipliedBy(6).toNanos()); // in which the sweeps would find the other's tasks
        outage.countDown();
        flows.awaitAllEnded();

        SumOfSquares.assertRight(flows.db(), "stopped_server", 4);
        calls.assertOnceEach(flows.db());
    }
}
