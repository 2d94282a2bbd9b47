package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.WorkerEvent.RunCompleted;
import io.pgflow.WorkerEvent.RunFailed;
import io.pgflow.WorkerEvent.TaskCompleted;
import io.pgflow.WorkerEvent.TaskRecovered;
import io.pgflow.WorkerEvent.TaskStarted;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** What is told of the ends of tasks and runs is what the database has, and costs it nothing. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class ToldEndTest {

    private static final Duration BEAT = Duration.ofMillis(100);

    private final Recorder recorder = new Recorder();

    @Test
    void isNotToldBeforeTheDatabaseHasIt(TestFlows flows) throws Exception {
        var locked = new CountDownLatch(1);
        var builder = Flow.of("told", String.class);
        builder.step("only", String.class, s -> {
            locked.await();
            return s;
        });
        var flow = builder.build();
        var seen = new CopyOnWriteArrayList<Map<String, String>>();
        try (var log = LogCapture.of("io.pgflow")) {
            var workers = flows.start(
                    flows.options().listener(recorder).listener(event -> {
                        if (event instanceof TaskCompleted end) {
                            seen.add(flows.tasks(end.task().runId()));
                        }
                    }),
                    flow);
            var run = UUID.randomUUID();
            flows.db().transaction(held -> {
                workers.client().start(flow, "x", run);
                recorder.await(TaskStarted.class);
                DSL.using(held).fetch("select from pgflow.runs where run_id = ? for update", run);
                locked.countDown();
                flows.await(
                        "exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%complete_tasks%')");

                assertThat(recorder.all(TaskCompleted.class)).isEmpty();
                assertThat(log.messages("task_completed")).isEmpty();
            });
            workers.client().await(run, TestFlows.LIMIT);
            recorder.await(RunCompleted.class);
            workers.close();

            assertThat(seen).containsExactly(Map.of("only", "completed"));
            assertThat(log.messages("task_completed")).hasSize(1);
            assertThat(recorder.all(TaskCompleted.class)).hasSize(1);
        }
    }

    @Test
    void takesNoStatementOfItsOwn(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var builder = Flow.of("unasked", Integer.class);
        var first = builder.step("first", Integer.class, n -> n + 1);
        builder.step("second", Integer.class, first, n -> n + 1);
        var flow = builder.build();
        flows.compile(flow);
        var idle = new WatchedDatabase(database);
        var silent = new WatchedDatabase(database);
        var told = new WatchedDatabase(database);

        runSome(flows, flow, 0, Workers.connect(idle.asDataSource()));
        runSome(flows, flow, 40, Workers.connect(silent.asDataSource()));
        runSome(flows, flow, 40, Workers.connect(told.asDataSource()).listener(recorder));

        assertThat(recorder.all(TaskCompleted.class)).hasSize(80);
        assertThat(recorder.all(RunCompleted.class)).hasSize(40);
        assertThat(kinds(told)).as("statements").isSubsetOf(kinds(silent));
        assertThat(kinds(silent))
                .as("what tasks take beside their claims: one statement, which records them")
                .filteredOn(sql -> !kinds(idle).contains(sql))
                .singleElement()
                .asString()
                .contains("complete_tasks");
        assertThat(told.statements("pgflow\".\"runs\"")).isZero();
    }

    private static void runSome(TestFlows flows, Flow<Integer> flow, int runs, WorkerOptions options) throws Exception {
        flows.client().startAll(flow, IntStream.range(0, runs).boxed().toList());
        var workers = flows.start(options, flow);
        flows.await(
                "not exists (select from pgflow.runs where flow_slug = '" + flow.slug() + "' and status = 'started')");
        workers.close();
    }

    /** The statements, once each, without those that come by the clock. */
    private static List<String> kinds(WatchedDatabase database) {
        return database.statements().stream()
                .filter(sql -> !sql.toLowerCase(Locale.ROOT).contains("listen"))
                .filter(sql -> Stream.of("recover_tasks", "heartbeat", "next_message_delay")
                        .noneMatch(sql::contains))
                .distinct()
                .sorted()
                .toList();
    }

    @Test
    void isToldOfRunsThatEndAsTheirTaskIsGivenUp(TestFlows flows) throws Exception {
        var builder = Flow.of("given_up", String.class);
        builder.step("lost", String.class, s -> s);
        var flow = builder.build();
        flows.compile(flow);
        var run = flows.client().start(flow, "x");
        var dead = UUID.randomUUID();
        flows.db().execute("select pgflow.register_worker(?, 'given_up', 'tests', interval '1 hour')", dead);
        flows.db().execute("select run_id from pgflow.claim_tasks('given_up', ?, 1)", dead);
        flows.db().execute("update pgflow.step_tasks set requeued_count = 3 where run_id = ?", run);
        var startedAt = flows.db()
                .fetchSingle("select started_at from pgflow.step_tasks where run_id = ?", run)
                .get(0, OffsetDateTime.class)
                .toInstant();
        flows.db().execute("select pgflow.mark_worker_stopped(?)", dead);
        try (var log = LogCapture.of("io.pgflow")) {
            flows.start(
                    flows.options().listener(recorder).heartbeatInterval(BEAT).recoveryInterval(BEAT), flow);

            var end = recorder.await(RunFailed.class);

            assertThat(recorder.all(TaskRecovered.class))
                    .singleElement()
                    .satisfies(lost -> assertThat(lost)
                            .isEqualTo(new TaskRecovered(lost.at(), "given_up", run, "lost", 0, false, startedAt)));
            assertThat(end)
                    .isEqualTo(new RunFailed(
                            end.at(),
                            "given_up",
                            run,
                            "Task was given up: it was started four times or more, and no worker reported its end"));
            assertThat(log.messages("run_failed"))
                    .singleElement()
                    .asString()
                    .startsWith("WARN event=run_failed flow=given_up run=" + run + " error=\"Task was given up");
        }
    }

    @Test
    void isLoggedWithTheTimeOfTheNextAttemptThatTheDatabaseHas(TestFlows flows) throws Exception {
        var builder = Flow.of("logged_retry", String.class).maxAttempts(2);
        builder.step("fail", String.class, s -> {
            throw new IllegalStateException(s);
        });
        var flow = builder.build();
        flows.compile(flow);
        flows.db().execute("update pgflow.flows set opt_base_delay = 1800 where flow_slug = 'logged_retry'");
        try (var log = LogCapture.of("io.pgflow")) {
            var workers = flows.start(flows.options().listener(recorder), flow);
            workers.client().start(flow, "x");
            var failed = recorder.await(WorkerEvent.TaskFailed.class);
            workers.close();

            assertThat(failed.retryAt()).isPresent();
            assertThat(Duration.between(failed.at(), failed.retryAt().get()))
                    .isBetween(Duration.ofMinutes(55), Duration.ofMinutes(65));
            assertThat(log.messages("task_retried"))
                    .singleElement()
                    .asString()
                    .contains("retry_at=" + failed.retryAt().get());
        }
    }

    @Test
    void showsNoneOfTheUsersValuesInJooqsLog(TestFlows flows) throws Exception {
        var secret = "s3cr3t";
        var builder = Flow.ofList("discreet", String.class);
        builder.map("each", String.class, builder.input(), s -> {
            if (s.endsWith("!")) {
                throw new PermanentFailure(s);
            }
            return s + s;
        });
        var flow = builder.build();
        try (var log = LogCapture.of("org.jooq")) {
            var client = flows.start(flow).client();
            client.read(client.await(client.start(flow, List.of(secret, secret)), TestFlows.LIMIT)
                    .id());
            client.start(flow, List.of(secret + "!"));
            flows.await("not exists (select from pgflow.runs where flow_slug = '" + flow.slug()
                    + "' and status = 'started')");

            assertThat(log.text()).doesNotContain(secret);
        }
    }
}
