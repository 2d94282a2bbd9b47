package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jooq.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** A step that a result makes ready begins where a slot is free, without a claim. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class HandOverTest {

    private final Map<String, Integer> calls = new ConcurrentHashMap<>();
    private final CountDownLatch inHand = new CountDownLatch(1);
    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private UnreliableDatabase database;

    @BeforeEach
    void connect(PGSimpleDataSource direct) {
        database = new UnreliableDatabase(direct);
    }

    /** A chain of three; the step that the input names waits. */
    private Flow<String> chain(String slug) {
        var flow = Flow.of(slug, String.class).timeout(Duration.ofSeconds(3)); // stalled soon, if they are lost
        var a = flow.step("a", String.class, input -> done("a", input));
        var b = flow.step("b", String.class, a, input -> done("b", input));
        flow.step("c", String.class, b, input -> done("c", input));
        return flow.build();
    }

    private String done(String step, String waiting) throws InterruptedException {
        calls.merge(step, 1, Integer::sum);
        if (step.equals(waiting)) {
            inHand.countDown();
            mayEnd.await();
        }
        return waiting;
    }

    /** With a claim under way, other slots are free: what follows from a result begins in one of these. */
    private WorkerOptions options() {
        return Workers.connect(database).grace(Duration.ofSeconds(10)).batchSize(1);
    }

    /** Lets the handler return, and holds up what records that. */
    private void holdResults(TestFlows flows, Configuration transaction, UUID run) {
        transaction.dsl().execute("select from pgflow.runs where run_id = ? for update", run);
        mayEnd.countDown();
        flows.await(
                "exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%complete_tasks%')");
    }

    @Test
    void needsNoClaim(TestFlows flows) throws Exception {
        var flow = chain("no_claim");
        var workers = flows.start(options(), flow);
        var run = workers.client().start(flow, "a");
        inHand.await();

        database.breakBefore("claim_tasks");
        mayEnd.countDown();
        workers.client().await(run, TestFlows.LIMIT);

        assertThat(calls).isEqualTo(Map.of("a", 1, "b", 1, "c", 1));
        database.mend();
    }

    @Test
    void takesNoMoreSlotsThanThereAre(TestFlows flows) throws Exception {
        var now = new AtomicInteger();
        var most = new AtomicInteger();
        var builder = Flow.of("few_slots", Integer.class);
        Handler<Integer, Integer> handler = n -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            LockSupport.parkNanos(100_000); // so that others can be seen at it
            now.decrementAndGet();
            return n;
        };
        var a = builder.step("a", Integer.class, handler);
        var b = builder.step("b", Integer.class, a, handler);
        builder.step("c", Integer.class, a, handler);
        builder.step("d", Integer.class, b, handler);
        var flow = builder.build();

        try (var client = Client.connect(database)) {
            flows.compile(flow);
            client.startAll(flow, Collections.nCopies(50, 1));
        }
        flows.start(options().concurrency(2).batchSize(2), flow);
        flows.awaitAllEnded();

        assertThat(most).hasValueLessThanOrEqualTo(2);
    }

    @Test
    void isDoneAgainWhereTheAnswerWasLost(TestFlows flows) throws Exception {
        var flow = chain("lost_hand_over");
        var workers = flows.start(options(), flow);
        var run = workers.client().start(flow, "a");
        inHand.await();

        var lost = database.loseAnswer("complete_tasks");
        mayEnd.countDown();
        UnreliableDatabase.await(lost);
        workers.client().await(run, TestFlows.LIMIT);

        assertThat(calls).isEqualTo(Map.of("a", 1, "b", 1, "c", 1));
        flows.assertNeverTakenForStalled();
    }

    @Test
    void isKeptWhereAClaimIsLost(TestFlows flows) throws Exception {
        var flow = chain("lost_claim_beside");
        flows.compile(flow);
        flows.db().execute("update pgflow.flows set opt_timeout = 60 where flow_slug = ?", flow.slug());
        var workers = flows.start(options(), flow);
        var first = workers.client().start(flow, "b");
        inHand.await();

        var lost = database.loseAnswer("claim_tasks");
        var second = workers.client().start(flow, "none");
        UnreliableDatabase.await(lost);
        workers.client().await(second, TestFlows.LIMIT);
        mayEnd.countDown();
        workers.client().await(first, TestFlows.LIMIT);

        assertThat(calls).isEqualTo(Map.of("a", 2, "b", 2, "c", 2));
        flows.assertNeverTakenForStalled();
    }

    @Test
    void isKeptWhereAClaimIsLostMeanwhile(TestFlows flows) throws Exception {
        var flow = chain("lost_claim_meanwhile");
        flows.compile(flow);
        flows.db().execute("update pgflow.flows set opt_timeout = 60 where flow_slug = ?", flow.slug());
        flows.start(options(), flow);
        var first = flows.client().start(flow, "a");
        inHand.await();

        flows.db().transaction(tx -> {
            holdResults(flows, tx, first);
            var lost = database.loseAnswer("claim_tasks");
            flows.client().start(flow, "none");
            UnreliableDatabase.await(lost);
            flows.await("pg_sleep(0.2) is not null"); // by then it would ask for tasks that it does not know
        });
        flows.awaitAllEnded();

        assertThat(calls).isEqualTo(Map.of("a", 2, "b", 2, "c", 2));
        flows.assertNeverTakenForStalled();
    }

    @Test
    void isGivenBackByAWorkerThatStopsMeanwhile(TestFlows flows) throws Exception {
        var flow = chain("stopped_meanwhile");
        var workers = flows.start(options(), flow);
        var run = flows.client().start(flow, "a");
        inHand.await();

        var closing = flows.db().transactionResult(tx -> {
            holdResults(flows, tx, run);
            var thread = Thread.ofPlatform().start(workers::close);
            while (workers.snapshot().getFirst().state() == WorkerState.RUNNING) {
                Thread.onSpinWait();
            }
            return thread;
        });
        closing.join();

        assertThat(flows.tasks(run)).isEqualTo(Map.of("a", "completed", "b", "queued"));
        assertThat(flows.db()
                        .fetchValue(
                                "select attempts_count from pgflow.step_tasks where run_id = ? and step_slug = 'b'",
                                run))
                .isEqualTo(0);
        flows.start(flow);
        flows.awaitAllEnded();
        assertThat(calls).isEqualTo(Map.of("a", 1, "b", 1, "c", 1));
        flows.assertNeverTakenForStalled();
    }
}
