package io.pgflow.trials;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Client;
import io.pgflow.Flow;
import io.pgflow.LogCapture;
import io.pgflow.TestFlows;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
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

    /** The client of the workers that end the run, that of other workers, and clients without any, on a pool and without. */
    @Test
    void isWaitedOutByWhoAwaitsARun() throws Exception {
        var inHand = new CountDownLatch(1);
        var outage = new CountDownLatch(1);
        var flow = SumOfSquares.flow("awaited_run", task -> {
            inHand.countDown();
            outage.await();
        });
        var elsewhere = Flow.of("elsewhere", String.class);
        elsewhere.step("a", String.class, s -> s);
        var works = flows.start(flow).client();
        var others = List.of(works, flows.start(elsewhere.build()).client(), flows.client());
        try (var log = LogCapture.of("io.pgflow.internal.RunWatch");
                var connecting = Client.connect(server.database())) {
            var run = works.start(flow, 5);
            var waiting = Stream.concat(others.stream(), Stream.of(connecting))
                    .map(client -> new FutureTask<>(() -> client.await(run, TestFlows.LIMIT)))
                    .toList();
            waiting.forEach(Thread.ofVirtual()::start);
            inHand.await();
            flows.await("awaited from pgflow.runs where run_id = '" + run + "'");

            server.crash();
            LockSupport.parkNanos(
                    Duration.ofSeconds(12).toNanos()); // longer than their pauses and their pools' patience
            assertThat(log.messages("awaited_runs_not_read")).hasSizeGreaterThanOrEqualTo(waiting.size());
            assertThat(waiting).noneMatch(FutureTask::isDone);
            server.restart();
            outage.countDown();

            for (var end : waiting) {
                assertThat(end.get(TestFlows.LIMIT.toSeconds(), SECONDS).id()).isEqualTo(run);
            }
        }
    }
}
