package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.testing.LoginRole;
import io.pgflow.testing.TestDatabases;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** What a role may do, and may not, that was granted the worker's part. It logs in. */
@ExtendWith({CoreDatabase.class, TestDatabases.class})
class GrantWorkerTest {
    private static final String SHAPE =
            "{\"steps\": [{\"slug\": \"a\", \"stepType\": \"single\", \"dependencies\": [], \"whenUnmet\": \"skip\", \"whenExhausted\": \"fail\","
                    + " \"requiredInputPattern\": {\"defined\": false}, \"forbiddenInputPattern\": {\"defined\": false}}]}";

    private LoginRole role;
    private Flows worker;

    @BeforeEach
    void grant(PGSimpleDataSource database, Flows owner) {
        owner.define("before", "a");
        role = new LoginRole(database);
        owner.run("select pgflow.grant_worker(?)", role.name());
        worker = new Flows(role.dataSource());
    }

    @AfterEach
    void drop() {
        worker.close();
        role.close();
    }

    /** A flow with a map and a join, a retry, a failure, a task handed back. */
    private void work(String flow) {
        var id = UUID.randomUUID();
        worker.run("select pgflow.register_worker(?, ?, 'java', interval '5 seconds')", id, flow);
        assertThat(worker.line("select pgflow.enable_notifications(?, 50)", flow))
                .isEqualTo("t");
        assertThat(worker.line("select pgflow.heartbeat(?)", id)).isEqualTo("running");
        var run = worker.start(flow, "[1, 2, 3]");

        var tasks = worker.claim(flow, 10, id);
        assertThat(Flows.said(tasks)).containsExactly("m[0] 1", "m[1] 2", "m[2] 3");
        assertThat(worker.completeTasks(tasks.get(0).with("10"))).containsExactly("1 completed - f");
        assertThat(worker.release(tasks.get(1).with(null))).isEqualTo(1);
        assertThat(worker.failTasks(tasks.get(2).with("again"))).containsExactly("1 retrying - f");
        assertThat(worker.number("select pgflow.next_message_delay(?)", flow)).isZero();
        worker.show(flow);
        worker.drain(flow, "20");
        assertThat(worker.run(run)).isEqualTo("completed 0");

        worker.start(flow, "[1]");
        assertThat(worker.handOver(List.of(id), worker.claimOne(flow).with("7")))
                .containsExactly("1 completed - f join 60 {\"m\": [7]}");
        assertThat(worker.number("select pgflow.release_lost_tasks(?, ?, '{}', '{}', '{}', '{}')", flow, id))
                .isEqualTo(1);
        worker.drain(flow, "8");

        var failing = worker.start(flow, "[1]");
        assertThat(worker.failTasks(worker.claimOne(flow).with("no").permanently()))
                .containsExactly("1 failed failed f");
        assertThat(worker.run(failing)).isEqualTo("failed 2");
        assertThat(worker.lines("select * from pgflow.recover_tasks()")).isEmpty();
        worker.run("select pgflow.mark_worker_stopped(?)", id);
    }

    @Test
    void worksOnAFlowThatTheOwnerCreatesLater(Flows owner) {
        owner.define("later", """
                m map
                join: m
                """);

        work("later");
    }

    @Test
    void worksOnAFlowThatItCompilesItself(Flows owner) {
        worker.define("own", """
                m map
                join: m
                """);

        work("own");
        assertThat(owner.holds("(select relowner from pg_class where oid = 'pgmq.q_own'::regclass)"
                        + " = (select nspowner from pg_namespace where nspname = 'pgflow')"))
                .as("the queue is the owner's")
                .isTrue();
        owner.run("select pgflow.delete_flow_and_data('own')");
    }

    @Test
    void sharesWhatItCompilesWithOtherWorkers(PGSimpleDataSource database, Flows owner) {
        try (var other = new LoginRole(database)) {
            owner.run("select pgflow.grant_worker(?)", other.name());
            worker.define("shared", "a");
            worker.start("shared", "1");

            try (var session = new Flows(other.dataSource())) {
                session.drain("shared", "2");
                assertThat(session.line("select status from pgflow.runs")).isEqualTo("completed");
            }
        }
    }

    @Test
    void worksAsAMemberOfTheRoleThatWasGranted(PGSimpleDataSource database, Flows owner) {
        try (var member = new LoginRole(database)) {
            owner.run("grant \"" + role.name() + "\" to \"" + member.name() + "\"");
            try (var session = new Flows(member.dataSource())) {
                session.define("of_a_member", "a");
                session.start("of_a_member", "1");
                session.drain("of_a_member", "2");
                assertThat(session.line("select status from pgflow.runs")).isEqualTo("completed");
            }
        }
    }

    @Test
    void hasItsEventsSentWithoutRightsOfItsOwn(Flows owner) {
        Realtime.install(owner);
        try {
            worker.start("before", "1");
            worker.drain("before", "2");

            assertThat(Realtime.events(owner))
                    .containsExactly("run:started", "step:a:started", "step:a:completed", "run:completed");
        } finally {
            Realtime.remove(owner);
        }
    }

    @Test
    void speaksTheContractsTwoPhases() {
        worker.run("select pgflow.track_worker_function('edge')");
        worker.run(
                "insert into pgflow.workers (queue_name, worker_id, function_name) values ('two', ?, 'edge') returning *",
                UUID.randomUUID());
        worker.run(
                "update pgflow.workers set last_heartbeat_at = clock_timestamp() where queue_name = 'two' returning deprecated_at");
        assertThat(worker.line("select pgflow.ensure_flow_compiled('two', ?::jsonb, false) ->> 'status'", SHAPE))
                .isEqualTo("compiled");
        assertThat(worker.line("select pgflow.ensure_flow_compiled('two', ?::jsonb) ->> 'status'", SHAPE))
                .isEqualTo("verified");
        worker.start("two", "1");
        worker.start("two", "2");

        var messages = worker.rows(
                row -> row.getLong(1),
                "select msg_id from pgmq.read_with_poll('two', vt => 5, qty => 10, max_poll_seconds => 2, poll_interval_ms => 100)");
        var tasks = worker.startTasks("two", messages.toArray(Long[]::new));
        assertThat(worker.complete(tasks.get(0), "7")).isEqualTo("a[0] completed 1 7 -");
        assertThat(worker.fail(tasks.get(1), "x")).isEqualTo("a[0] queued 1 - x");

        assertThat(worker.lines("select input from pgflow.runs")).containsExactlyInAnyOrder("1", "2");
        assertThat(worker.number("select pgflow.requeue_stalled_tasks()")).isZero();
        assertThat(worker.line("select queue_length from pgmq.metrics('two')")).isEqualTo("1");
        assertThat(worker.lines("select queue_name from pgmq.list_queues() order by 1"))
                .containsExactly("before", "two");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select pgflow.delete_flow_and_data('before')",
                "select pgflow.prune_data_older_than('1 day')",
                "select pgflow.setup_requeue_stalled_tasks_cron()",
                "select pgflow.setup_ensure_workers_cron()",
                "select pgflow.cleanup_ensure_workers_logs()",
                "select pgflow.ensure_workers()",
                "select pgflow.refresh_environment()",
                "select pgflow.grant_client(current_user)",
                "select pgflow.grant_worker(current_user)",
                "update pgflow.flows set opt_timeout = 1",
                "update pgflow.schema_history set release = '9'",
                "delete from pgflow.runs",
                "select pgmq.create('mine')",
                "select pgmq.drop_queue('before')",
                "select pgmq.purge_queue('before')",
                "delete from pgmq.a_before",
                "create table pgflow.mine ()",
                "create function pgflow.mine() returns int language sql as 'select 1'",
            })
    void isRefusedWhatIsTheOwners(String statement) {
        assertThat(worker.refusal(statement).state()).isEqualTo("42501");
    }

    /** A flow by the name of a queue that is there would be a way to it, were its rights given with the flow's. */
    @Test
    void comesToNoOtherQueue(Flows owner) {
        owner.run("select pgmq.create('orders'), pgmq.send('orders', '{}')");

        assertThat(worker.refusal("select pgflow._create_queue('orders')").message())
                .contains("a queue is created for a flow only");
        assertThat(worker.refusal("select pgflow.enable_notifications('orders', 0)")
                        .message())
                .contains("does not exist");
        worker.run("select pgflow.create_flow('orders')");
        assertThat(worker.refusal("select pgflow.create_flow('Orders')").message())
                .contains("differs only in case");

        for (var statement : List.of(
                "select pgmq.read('orders', 1, 1)",
                "select pgmq.send('orders', '{}')",
                "select pgflow.claim_tasks('orders', gen_random_uuid(), 1)",
                "select pgflow.set_vt_batch('orders', '{1}', '{1}')",
                "select from pgmq.a_orders")) {
            assertThat(worker.refusal(statement).state()).as(statement).isEqualTo("42501");
        }
        owner.run("select pgmq.purge_queue('orders')");
    }

    @Test
    void mayExecuteAllFunctionsButThese(Flows owner) {
        assertThat(owner.lines(
                        "select proname from pg_proc where pronamespace = 'pgflow'::regnamespace"
                                + " and not has_function_privilege(?, oid, 'execute') order by proname",
                        role.name()))
                .containsExactly(
                        "_refresh_privileges",
                        "cleanup_ensure_workers_logs",
                        "delete_flow_and_data",
                        "ensure_workers",
                        "grant_client",
                        "grant_worker",
                        "prune_data_older_than",
                        "refresh_environment",
                        "setup_ensure_workers_cron",
                        "setup_requeue_stalled_tasks_cron");
    }

    @Test
    void recoversTasksBesideAQueueThatItWasNotGiven(Flows owner) {
        owner.run("select pgmq.create('legacy')");
        worker.run("select pgflow.ensure_flow_compiled('legacy', ?::jsonb)", SHAPE);
        worker.start("before", "1");
        worker.claimOne("before");
        worker.run("select pgflow.mark_worker_stopped(?)", Flows.WORKER);

        assertThat(worker.lines("select flow_slug, outcome from pgflow.recover_tasks()"))
                .containsExactly("before requeued");

        owner.run("select pgflow.delete_flow_and_data('legacy')");
        worker.drain("before", "1");
    }

    @Test
    void keepsItsRightsWhenFunctionsAreAppliedAgain(PGSimpleDataSource database, Flows owner) {
        var rights =
                "select p.oid::regprocedure, p.proacl from pg_proc p where p.pronamespace = 'pgflow'::regnamespace order by 1::text";
        var before = owner.lines(rights);
        owner.run("update pgflow.schema_history set checksum = 'old', release = '0.0.9' where file like 'functions/%'");

        assertThat(Schema.migrate(database).applied()).hasSizeGreaterThan(50);

        assertThat(owner.lines(rights)).isEqualTo(before);
    }
}
