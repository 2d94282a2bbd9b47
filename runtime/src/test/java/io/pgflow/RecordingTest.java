package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.WorkerEvent.OutageBegan;
import io.pgflow.WorkerEvent.PollStarted;
import io.pgflow.WorkerEvent.TaskCompleted;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** A result is recorded as what it is, whatever happens to the connection. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class RecordingTest {

    private final AtomicInteger calls = new AtomicInteger();
    private final Recorder recorder = new Recorder();
    private UnreliableDatabase database;

    @BeforeEach
    void connect(PGSimpleDataSource direct) {
        database = new UnreliableDatabase(direct);
    }

    private Flow<String> flow(String slug) {
        var flow = Flow.of(slug, String.class);
        flow.step("a", String.class, s -> s + calls.incrementAndGet());
        return flow.build();
    }

    private WorkerOptions options() {
        return Workers.connect(database).grace(Duration.ofSeconds(10)).listener(recorder);
    }

    private static String row(TestFlows flows, Flow<?> flow) {
        return String.valueOf(flows.db().fetchValue("""
                select concat_ws(' ', status, attempts_count, output #>> '{}', error_message)
                from pgflow.step_tasks where flow_slug = ?""", flow.slug()));
    }

    @Test
    void triesAgainUntilTheDatabaseAnswersAlsoWhenTheDeadlineIsOverByThen(TestFlows flows) throws Exception {
        var flow = flow("recorded_late");
        flows.compile(flow);
        flows.db().execute("update pgflow.flows set opt_timeout = 1 where flow_slug = ?", flow.slug());
        var workers = flows.start(options(), flow);
        var broken = database.breakBefore("complete_tasks");
        var run = flows.client().start(flow, "x");
        UnreliableDatabase.await(broken);
        assertThat(recorder.all(TaskCompleted.class))
                .as("what is not so in the database")
                .isEmpty();

        flows.await("clock_timestamp() > started_at + interval '1.2 seconds' from pgflow.step_tasks where flow_slug = '"
                + flow.slug() + "'");
        database.mend();

        assertThat(flows.client().await(run, TestFlows.LIMIT).output()).hasValue("{\"a\": \"x1\"}");
        workers.close();
        assertThat(row(flows, flow)).isEqualTo("completed 1 x1");
        assertThat(recorder.all(TaskCompleted.class)).hasSize(1);
    }

    @Test
    void takesARecordingWhoseAnswerWasLostForDone(TestFlows flows) throws Exception {
        var flow = flow("recorded_twice");
        var workers = flows.start(options(), flow);
        var lost = database.loseAnswer("complete_tasks");

        var run = flows.client().start(flow, "x");
        UnreliableDatabase.await(lost);

        assertThat(flows.client().await(run, TestFlows.LIMIT).output()).hasValue("{\"a\": \"x1\"}");
        workers.close();
        assertThat(row(flows, flow)).isEqualTo("completed 1 x1");
        assertThat(flows.queued(flow)).isZero();
    }

    @Test
    void isAwaitedByAStop(TestFlows flows) throws Exception {
        var flow = flow("recorded_at_last");
        var workers = flows.start(options(), flow);
        var broken = database.breakBefore("complete_tasks");
        flows.client().start(flow, "x");
        UnreliableDatabase.await(broken);

        var closing = Thread.ofPlatform().start(workers::close);
        while (workers.snapshot().getFirst().state() == WorkerState.RUNNING) {
            Thread.onSpinWait();
        }
        database.mend();
        closing.join();

        assertThat(row(flows, flow)).isEqualTo("completed 1 x1");
    }

    @Test
    void aPollThatFailsIsNotTakenForOneThatFoundNothing(TestFlows flows) throws Exception {
        var flow = flow("failing_polls");
        try (var log = LogCapture.of("io.pgflow")) {
            var workers = flows.start(options(), flow);
            var broken = database.breakBefore("claim_tasks");
            flows.client().start(flow, "x");
            UnreliableDatabase.await(broken);
            int before = recorder.all(PollStarted.class).size();
            flows.await("pg_sleep(0.5) is not null");
            int polls = recorder.all(PollStarted.class).size() - before;
            database.mend();
            flows.awaitAllEnded();
            workers.close();

            assertThat(polls).as("polls in half a second").isLessThan(10);
            assertThat(log.messages("poll_failed"))
                    .first()
                    .asString()
                    .startsWith("WARN")
                    .contains("[08006]");
        }
    }

    @Test
    void leavesAnnouncementsToOthersWhenAWorkerLeaves(TestFlows flows) {
        var flow = flow("announced_on");
        var first = flows.start(flow);
        flows.start(flow);

        first.close();

        assertThat(flows.db().fetchValue("""
                        select count(*)
                        from pgmq.notify_insert_throttle n
                        join pg_trigger t on t.tgrelid = 'pgmq.q_announced_on'::regclass and t.tgenabled <> 'D'
                        where n.queue_name = 'announced_on' and t.tgname = 'trigger_notify_queue_insert_listeners'"""))
                .as("throttle and trigger, both there")
                .isEqualTo(1L);
    }

    /** Has updates of tasks refused, with a state that does not say that data is at fault, as a trigger of an operator's may do. */
    private static void refuse(TestFlows flows, String condition) {
        flows.db().execute("""
                create or replace function refuse() returns trigger language plpgsql as $$
                begin
                  raise exception 'not this one';
                end
                $$""");
        flows.db()
                .execute("create trigger refuse before update on pgflow.step_tasks for each row when (" + condition
                        + ") execute function refuse()");
    }

    /** Returns its input, and throws it if it begins with "no"; all at once, when {@code go} says so. */
    private Flow<String> together(String slug, CountDownLatch go) {
        var flow = Flow.of(slug, String.class).maxAttempts(1);
        flow.step("a", String.class, input -> {
            calls.incrementAndGet();
            go.await();
            if (input.startsWith("no")) {
                throw new IllegalStateException(input);
            }
            return input;
        });
        return flow.build();
    }

    @Test
    void partsWithAResultThatTheDatabaseNeverTakes(TestFlows flows) throws Exception {
        refuse(flows, "new.output = '\"bad\"'");
        var go = new CountDownLatch(1);
        var flow = together("never_taken", go);
        var workers = flows.start(options().concurrency(64), flow);
        var inputs = new ArrayList<>(Collections.nCopies(50, "good"));
        inputs.set(20, "bad");
        var runs = flows.client().startAll(flow, inputs);
        flows.await("count(*) = 50 from pgflow.step_tasks where flow_slug = 'never_taken' and status = 'started'");

        go.countDown();
        flows.awaitAllEnded();
        workers.close();
        flows.db().execute("drop trigger refuse on pgflow.step_tasks");

        assertThat(flows.db()
                        .fetchValue(
                                "select error_message from pgflow.step_tasks where run_id = ? and status = 'failed'",
                                runs.get(20)))
                .asString()
                .startsWith("Its output cannot be stored: [P0001] ERROR: not this one");
        assertThat(
                        flows.db()
                                .fetchValue(
                                        "select count(*) from pgflow.runs where status = 'completed' and flow_slug = 'never_taken'"))
                .isEqualTo(49L);
        assertThat(calls).hasValue(50);
        assertThat(recorder.all(OutageBegan.class)).isEmpty();
    }

    @Test
    void partsWithAFailureThatTheDatabaseNeverTakes(TestFlows flows) throws Exception {
        refuse(flows, "new.error_message like '%not stored%' or new.error_message like '%cannot be stored%'");
        var go = new CountDownLatch(1);
        var flow = together("never_told", go);
        try (var log = LogCapture.of("io.pgflow")) {
            var workers = flows.start(options().concurrency(64), flow);
            var inputs = new ArrayList<>(Collections.nCopies(50, "no"));
            inputs.set(20, "not stored");
            var run = flows.client().startAll(flow, inputs).get(20);
            flows.await("count(*) = 50 from pgflow.step_tasks where flow_slug = 'never_told' and status = 'started'");

            go.countDown();
            flows.await("count(*) = 49 from pgflow.runs where flow_slug = 'never_told' and status = 'failed'");
            workers.close();
            flows.db().execute("drop trigger refuse on pgflow.step_tasks");

            assertThat(log.messages("failure_refused"))
                    .singleElement()
                    .asString()
                    .contains(run.toString(), "not this one", "run again");
            assertThat(calls).hasValue(50);
            flows.db().execute("select pgflow.fail_task(?, 'a', 0, 'in the end')", run);
        }
    }
}
