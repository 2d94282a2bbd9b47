package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** The connection breaks when a claim is made and its answer is under way: the tasks are the worker's, and it does not know them. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class LostClaimTest {

    private final Map<String, Integer> calls = new ConcurrentHashMap<>();
    private final CountDownLatch inHand = new CountDownLatch(1);
    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private UnreliableDatabase database;

    @BeforeEach
    void connect(PGSimpleDataSource direct) {
        database = new UnreliableDatabase(direct);
    }

    /** Elements that begin with "wait" do. */
    private Flow<List<String>> flow(String slug) {
        var flow = Flow.ofList(slug, String.class).timeout(Duration.ofSeconds(3)); // stalled soon, if they are lost
        flow.map("element", String.class, flow.input(), name -> {
            calls.merge(name, 1, Integer::sum);
            if (name.startsWith("wait")) {
                inHand.countDown();
                mayEnd.await();
            }
            return name;
        });
        return flow.build();
    }

    private static WorkerOptions options(UnreliableDatabase database) {
        return Workers.connect(database).grace(Duration.ofSeconds(10));
    }

    @Test
    void givesItsTasksBackAndClaimsThemAgain(TestFlows flows) throws Exception {
        var flow = flow("lost_claim");
        var workers = flows.start(options(database), flow);
        var lost = database.loseAnswer("claim_tasks");

        var run = workers.client().start(flow, List.of("a", "b", "c"));
        UnreliableDatabase.await(lost);
        workers.client().await(run, TestFlows.LIMIT);

        assertThat(calls).isEqualTo(Map.of("a", 1, "b", 1, "c", 1));
        flows.assertNeverTakenForStalled();
    }

    @Test
    void keepsTheTasksThatItKnows(TestFlows flows) throws Exception {
        var flow = flow("known_in_hand");
        flows.compile(flow);
        flows.db().execute("update pgflow.flows set opt_timeout = 60 where flow_slug = ?", flow.slug());
        var workers = flows.start(options(database), flow);
        var first = workers.client().start(flow, List.of("wait"));
        inHand.await();
        var lost = database.loseAnswer("claim_tasks");

        var second = workers.client().start(flow, List.of("a"));
        UnreliableDatabase.await(lost);
        workers.client().await(second, TestFlows.LIMIT);
        mayEnd.countDown();
        workers.client().await(first, TestFlows.LIMIT);

        assertThat(calls).isEqualTo(Map.of("wait", 1, "a", 1));
        flows.assertNeverTakenForStalled();
    }

    @Test
    void keepsTheTasksWhoseResultsAreNotRecordedYet(TestFlows flows) throws Exception {
        var flow = flow("known_unrecorded");
        flows.compile(flow);
        flows.db().execute("update pgflow.flows set opt_timeout = 60 where flow_slug = ?", flow.slug());
        var workers = flows.start(options(database), flow);
        var unrecorded = database.breakBefore("complete_tasks");
        var first = workers.client().start(flow, List.of("a"));
        UnreliableDatabase.await(unrecorded);

        var lost = database.loseAnswer("claim_tasks");
        workers.client().start(flow, List.of("wait"));
        UnreliableDatabase.await(lost);
        inHand.await(); // handed back and claimed again
        database.mend();
        mayEnd.countDown();
        workers.client().await(first, TestFlows.LIMIT);
        flows.awaitAllEnded();

        assertThat(calls).isEqualTo(Map.of("a", 1, "wait", 1));
        flows.assertNeverTakenForStalled();
    }
}
