package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.WorkerEvent.PollEnded;
import io.pgflow.WorkerOptions.SignalStrategy;
import java.time.Duration;
import java.util.Collections;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** What wakes a worker. Its regular polls are further apart here than any test may last, so that none of them can be what did. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class WakingTest {

    private static WorkerOptions rarelyPolling(TestFlows flows) {
        return flows.options()
                .minPollInterval(Duration.ofMinutes(5))
                .maxPollInterval(Duration.ofMinutes(5))
                .notifyFallback(Duration.ofMinutes(10));
    }

    /** Two steps, of which the first fails once and the second begins a second late. */
    private static Flow<String> delaying(String slug) {
        var flow = Flow.of(slug, String.class);
        var first = flow.step("first", String.class, flow.input(), flow.context(), (input, task) -> {
            if (task.attempt() == 1) {
                throw new RetryLater(Duration.ofSeconds(1), "not yet");
            }
            return input;
        });
        flow.step("second", String.class, first, s -> s).startDelay(Duration.ofSeconds(1));
        return flow.build();
    }

    @Test
    void retriesAndStartDelaysWakeAnIdleWorkerThatIsTold(TestFlows flows) throws Exception {
        var flow = delaying("delays_told");
        var client = flows.start(rarelyPolling(flows), flow).client();

        client.await(client.start(flow, "x"), TestFlows.LIMIT);
    }

    @Test
    void retriesAndStartDelaysWakeAnIdleWorkerThatPolls(TestFlows flows) throws Exception {
        var flow = delaying("delays_polling");
        flows.compile(flow);
        var run = flows.client().start(flow, "x"); // before its first poll
        var workers = flows.start(rarelyPolling(flows).signalStrategy(SignalStrategy.POLLING), flow);

        workers.client().await(run, TestFlows.LIMIT);
        assertThat(workers.snapshot().getFirst().listening()).isFalse();
    }

    @Test
    void tasksThatAnotherWorkerGaveBackWakeAnIdleWorker(TestFlows flows) throws Exception {
        var began = new CountDownLatch(1);
        var first = Flow.of("requeued", String.class);
        first.step("a", String.class, s -> {
            began.countDown();
            new CountDownLatch(1).await(); // until it is interrupted
            return s;
        });
        var leaving = flows.start(flows.options().grace(Duration.ZERO), first.build());
        var second = Flow.of("requeued", String.class);
        var step = second.step("a", String.class, s -> s + " by another");
        var flow = second.build();
        var run = leaving.client().start(flow, "done");
        began.await();
        var idle = flows.start(rarelyPolling(flows), flow);
        flows.await("count(*) = 2 from pgflow.workers where queue_name = 'requeued'");

        leaving.close();

        assertThat(idle.client().await(run, TestFlows.LIMIT).of(step)).isEqualTo("done by another");
    }

    /** Its throttle is long, too: a single pause of any kind would take a minute. */
    @Test
    void tenThousandTasksAreDrainedByTenSlotsWithoutOnePause(TestFlows flows) {
        int tasks = 10_000;
        var recorder = new Recorder();
        var builder = Flow.of("drained", Integer.class);
        builder.step("a", Integer.class, n -> n);
        var flow = builder.build();
        flows.compile(flow);
        var inputs = IntStream.range(0, tasks).boxed().toList();
        flows.client().startAll(flow, inputs);

        flows.start(
                rarelyPolling(flows)
                        .concurrency(10)
                        .notifyThrottle(Duration.ofMinutes(1))
                        .listener(recorder),
                flow);
        flows.awaitAllEnded();

        var polls = recorder.all(PollEnded.class);
        var claims = polls.stream().map(PollEnded::tasksStarted).toList();
        assertThat(claims.stream().mapToInt(Integer::intValue).sum()).isEqualTo(tasks);
        assertThat(claims.subList(0, claims.lastIndexOf(Collections.max(claims)) + 1))
                .as("polls until the last big one")
                .doesNotContain(0);
        assertThat(polls).as("no poll without a slot that became free").hasSizeLessThanOrEqualTo(tasks + 2);
    }

    @Test
    void aSlotThatIsFreeAgainIsUsedWhileAnotherTaskOfTheSameClaimStillRuns(TestFlows flows) throws Exception {
        var others = new CountDownLatch(20);
        var builder = Flow.ofList("slow_one", Integer.class);
        var step = builder.map("element", Integer.class, builder.input(), n -> {
            if (n == 0) {
                others.await(); // claimed first, ends last
            } else {
                others.countDown();
            }
            return n;
        });
        var flow = builder.build();
        var client = flows.start(rarelyPolling(flows).concurrency(3), flow).client();

        var input = IntStream.rangeClosed(0, 20).boxed().toList();
        assertThat(client.await(client.start(flow, input), TestFlows.LIMIT).of(step))
                .isEqualTo(input);
    }

    /** At a tenth of the defaults, so that ten statements a second are allowed. */
    @Test
    void nothingToDoCostsAtMostOneStatementASecond(TestFlows flows, PGSimpleDataSource direct) throws Exception {
        var database = new WatchedDatabase(direct);
        var builder = Flow.of("idle", String.class);
        builder.step("a", String.class, s -> s);
        try (var workers = Workers.connect(database.asDataSource())
                .heartbeatInterval(Duration.ofMillis(400))
                .recoveryInterval(Duration.ofMillis(500))
                .notifyFallback(Duration.ofSeconds(3))
                .start(builder.build())) {
            database.awaitStatements("heartbeat", 4); // until the polls that follow the start are over, too
            int before = database.statements().size();
            long since = System.nanoTime();

            database.awaitStatements("heartbeat", 14);

            double seconds = (System.nanoTime() - since) / 1e9;
            int statements = database.statements().size() - before;
            assertThat(statements / seconds).isLessThanOrEqualTo(10);
            assertThat(workers.snapshot()).hasSize(1);
        }
    }
}
