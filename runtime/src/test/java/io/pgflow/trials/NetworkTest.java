package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.Flow;
import io.pgflow.Handler;
import io.pgflow.TestFlows;
import io.pgflow.WorkerEvent.TaskLate;
import io.pgflow.Workers;
import io.pgflow.testing.TestDatabases;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The network between workers and their server fails, while all of them are well. */
@ExtendWith(TestDatabases.class)
class NetworkTest {

    private static final Duration BEAT = Duration.ofMillis(200);

    private final PGSimpleDataSource database;
    private final Calls calls = new Calls();
    private Proxy proxy;
    private TestFlows flows;

    NetworkTest(PGSimpleDataSource database) {
        this.database = database;
    }

    @BeforeEach
    void connect() {
        proxy = Proxy.before(database);
        flows = TestFlows.on(proxy.to(database), database);
    }

    @AfterEach
    void disconnect() {
        try {
            flows.close();
        } finally {
            proxy.close();
        }
    }

    @Test
    void costsNoTaskWhereItResetsConnections() {
        var flow = SumOfSquares.flow("reset", calls::add);
        flows.start(flows.options().concurrency(50), flow);
        flows.client().startAll(flow, Collections.nCopies(20, 98));

        for (int done = 100; done <= 1_900; done += 200) {
            flows.await("count(*) >= " + done
                    + " from pgflow.step_tasks where flow_slug = 'reset' and status = 'completed'");
            proxy.cut();
        }
        flows.awaitAllEnded();

        SumOfSquares.assertRight(flows.db(), "reset", 20);
        calls.assertOnceEach(flows.db(), "reset");
        Calls.assertNoneTaken(flows.db(), "reset");
    }

    /** What was asked for is done, and the worker cannot know. */
    @ParameterizedTest
    @ValueSource(strings = {"claim_tasks", "complete_tasks.*square", "fail_tasks", "heartbeat", "recover_tasks"})
    void costsNoTaskWhereItLosesTheReplyTo(String request) throws Exception {
        String slug = "lost_reply_" + request.length(); // without the name that the proxy looks for
        var flow = SumOfSquares.flow(slug, task -> {
            calls.add(task);
            if (task.taskIndex() % 5 == 1 && task.attempt() == 1) {
                throw new IllegalStateException("not yet");
            }
        });
        flows.retryAtOnce(flow);
        flows.start(flows.options().heartbeatInterval(BEAT).recoveryInterval(BEAT), flow);
        var client = flows.client();

        for (int n = 0; n < 3; n++) {
            var lost = proxy.dropReplyTo(request);
            client.startAll(flow, Collections.nCopies(4, 20));
            assertThat(lost.await(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
        }
        flows.awaitAllEnded();

        SumOfSquares.assertRight(flows.db(), slug, 12);
        calls.assertOnceAnAttempt(flows.db(), slug);
        Calls.assertNoneTaken(flows.db(), slug);
        assertThat(calls.size()).as("calls, each attempt counted once").isEqualTo(12 * (22 + 4));
    }

    /** A client that got no answer starts the run again, by the same id. */
    @Test
    void startsNoRunTwiceWhereItLosesTheReply() throws Exception {
        var flow = SumOfSquares.flow("lost_start", calls::add);
        var client = flows.start(flow).client();
        var id = UUID.randomUUID();

        var lost = proxy.dropReplyTo("start_flow");
        assertThatThrownBy(() -> client.start(flow, 5, id)).isNotNull();
        assertThat(lost.getCount()).isZero();
        assertThat(client.start(flow, 5, id)).isEqualTo(id);
        flows.awaitAllEnded();

        SumOfSquares.assertRight(flows.db(), "lost_start", 1);
        calls.assertOnceEach(flows.db(), "lost_start");
    }

    /** Another worker, with a way of its own, takes over; all that was held back arrives while that one has a last task in hand. */
    @Test
    void changesNothingAfterwardsWhereItHeldBackWhatWasSent() throws Exception {
        var inHand = new CountDownLatch(8);
        var stalled = new CountDownLatch(1);
        var late = new CountDownLatch(8);
        var flow = elements("stalled", n -> {
            inHand.countDown();
            stalled.await();
            return "late";
        });
        flows.start(
                flows.options().concurrency(8).heartbeatInterval(BEAT).listener(event -> {
                    if (event instanceof TaskLate) {
                        late.countDown();
                    }
                }),
                flow);
        var client = flows.client();
        var input = IntStream.range(0, 8).boxed().toList();
        var run = client.start(flow, input);
        inHand.await();

        proxy.stall();
        stalled.countDown();
        try (var other = Workers.connect(database)
                .heartbeatInterval(BEAT)
                .recoveryInterval(BEAT)
                .start(elements("stalled", n -> {
                    if (n == 7) {
                        late.await();
                    }
                    return "in time";
                }))) {
            flows.await(
                    "count(*) filter (where status = 'completed') = 7 and bool_and(claim_no > 1) from pgflow.step_tasks where flow_slug = 'stalled'");
            proxy.flow();
            var end = client.await(run, TestFlows.LIMIT);
            assertThat(end.output())
                    .hasValueSatisfying(output -> assertThat(output).doesNotContain("late"));
            assertThat(other.snapshot()).hasSize(1);
        }

        flows.await("count(*) = 1 from pgflow.workers where queue_name = 'stalled' and stopped_at is null");
        assertThat(client.await(client.start(flow, input), TestFlows.LIMIT).output())
                .as("of a run that only the one that was cut off can work on")
                .hasValueSatisfying(output -> assertThat(output).doesNotContain("in time"));
        flows.awaitAllEnded();
        assertThat(flows.db()
                        .fetchSingle(
                                "select count(*) from pgflow.step_tasks where run_id = ? and output::text like '%late%'",
                                run)
                        .get(0, Integer.class))
                .isZero();
    }

    private static Flow<List<Integer>> elements(String slug, Handler<Integer, String> handler) {
        var builder = Flow.ofList(slug, Integer.class);
        builder.map("element", String.class, builder.input(), handler);
        return builder.build();
    }

    /** As a firewall does that has forgotten them: nobody is told, and only silence says it. */
    @Test
    @Tag("long")
    void costsNoTaskWhereItForgetsConnections() {
        var flow = SumOfSquares.flow("forgotten", calls::add);
        flows.start(flows.options().concurrency(50).heartbeatInterval(BEAT), flow);
        flows.client().startAll(flow, Collections.nCopies(20, 98));

        flows.await("count(*) >= 500 from pgflow.step_tasks where flow_slug = 'forgotten' and status = 'completed'");
        proxy.forget();
        flows.awaitAllEnded();

        SumOfSquares.assertRight(flows.db(), "forgotten", 20);
        calls.assertOnceEach(flows.db(), "forgotten");
    }

    /** For so long that every heartbeat is old: the worker that is back first finds the other's so, and that one has tasks in hand. */
    @Test
    @Tag("long")
    void runsNoTaskTwiceWhereItRefusesConnectionsForTwentySeconds() throws Exception {
        var beat = Duration.ofSeconds(5); // missed three times in the outage; and longer than a worker takes to be back
        var inHand = new CountDownLatch(8);
        var over = new CountDownLatch(1);
        var builder = Flow.ofList("refused", Integer.class).maxAttempts(1);
        builder.map("element", Integer.class, builder.input(), builder.context(), (n, task) -> {
            calls.add(task);
            inHand.countDown();
            over.await();
            return n;
        });
        var flow = builder.build();
        var first = UUID.randomUUID();
        flows.start(
                flows.options()
                        .workerId(first)
                        .concurrency(4)
                        .heartbeatInterval(beat)
                        .recoveryInterval(BEAT),
                flow);
        try (var otherWay = Proxy.before(database);
                var second = Workers.connect(otherWay.to(database))
                        .concurrency(4)
                        .heartbeatInterval(beat)
                        .start(flow)) {
            flows.client().start(flow, IntStream.range(0, 8).boxed().toList());
            inHand.await();

            proxy.refuse();
            otherWay.refuse();
            LockSupport.parkNanos(Duration.ofSeconds(20).toNanos()); // the outage
            proxy.accept();
            flows.await(
                    "last_heartbeat_at > clock_timestamp() - heartbeat_interval from pgflow.workers where worker_id = '"
                            + first + "'");
            otherWay.accept();
            flows.await("bool_and(last_heartbeat_at > clock_timestamp() - 2 * heartbeat_interval) from pgflow.workers"
                    + " where queue_name = 'refused'");
            over.countDown();
            flows.awaitAllEnded();
            assertThat(second.snapshot()).hasSize(1);
        }

        calls.assertOnceEach(flows.db(), "refused");
        Calls.assertNoneTaken(flows.db(), "refused");
    }
}
