package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Flows.Report;
import java.sql.SQLWarning;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is told to {@code realtime.send}: an event a transition, with exactly the contract's keys. */
@ExtendWith(CoreDatabase.class)
class EventsTest {
    @BeforeEach
    void listen(Flows db) {
        Realtime.install(db);
    }

    @AfterEach
    void eachTransitionWasToldOnce(Flows db) {
        Realtime.check(db);
    }

    private static final String RUN_STARTED = """
            run:started {"input": 1, "status": "started", "flow_slug": "f", "event_type": "run:started", "started_at": "stored", "remaining_steps": 1}""";
    private static final String A_STARTED = """
            step:a:started {"status": "started", "step_slug": "a", "event_type": "step:started", "started_at": "stored", "remaining_deps": 0, "remaining_tasks": 1}""";

    @Test
    void aRunThatStartsAndCompletes(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        assertThat(Realtime.payloads(db)).containsExactly(RUN_STARTED, A_STARTED);

        db.complete(db.claimOne("f"), "{\"x\": 1}");
        assertThat(Realtime.payloads(db)).containsExactly("""
                step:a:completed {"output": {"x": 1}, "status": "completed", "step_slug": "a", "event_type": "step:completed", "completed_at": "stored"}""", """
                run:completed {"output": {"a": {"x": 1}}, "status": "completed", "flow_slug": "f", "event_type": "run:completed", "completed_at": "stored"}""");
    }

    @Test
    void stepsThatAreHandedOverAndEnqueued(Flows db) {
        db.define("f", """
                a
                c: a
                b: a
                z: b, c
                """);
        var run = db.start("f", "1");
        Realtime.events(db);

        db.next(Flows.WORKER, db.claimOne("f").with("1"));
        assertThat(Realtime.events(db))
                .containsExactlyInAnyOrder("step:a:completed", "step:b:started", "step:c:started")
                .startsWith("step:a:completed");

        db.completeTasks(db.claimOne("f").with("2"));
        Realtime.events(db);
        db.next(Flows.WORKER, new Report(run, "b", 0, 1, "3", null));
        assertThat(Realtime.payloads(db)).containsExactly("""
                step:b:completed {"output": 3, "status": "completed", "step_slug": "b", "event_type": "step:completed", "completed_at": "stored"}""", """
                step:z:started {"status": "started", "step_slug": "z", "event_type": "step:started", "started_at": "stored", \
                "remaining_deps": 0, "remaining_tasks": 1}""");

        db.next(Flows.WORKER, new Report(run, "z", 0, 1, "4", null));
        assertThat(Realtime.events(db)).containsExactly("step:z:completed", "run:completed");
    }

    @Test
    void anOutputThatIsNull(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        Realtime.events(db);

        db.complete(db.claimOne("f"), null);
        assertThat(Realtime.payloads(db)).containsExactly("""
                step:a:completed {"output": null, "status": "completed", "step_slug": "a", "event_type": "step:completed", "completed_at": "stored"}""", """
                run:completed {"output": {"a": null}, "status": "completed", "flow_slug": "f", "event_type": "run:completed", "completed_at": "stored"}""");
    }

    @Test
    void aFlowWithoutSteps(Flows db) {
        db.define("f", "");
        db.start("f", "1");
        assertThat(Realtime.payloads(db)).containsExactly("""
                run:started {"input": 1, "status": "started", "flow_slug": "f", "event_type": "run:started", "started_at": "stored", "remaining_steps": 0}""", """
                run:completed {"output": null, "status": "completed", "flow_slug": "f", "event_type": "run:completed", "completed_at": "stored"}""");
    }

    @Test
    void aStepThatFailsForGoodAndItsRun(Flows db) {
        db.define("f", "max_attempts => 2, base_delay => 0", "a");
        db.start("f", "1");
        db.fail(db.claimOne("f"), "first");
        assertThat(Realtime.payloads(db)).as("no word of the retry").containsExactly(RUN_STARTED, A_STARTED);

        db.fail(db.claimOne("f"), "second");
        assertThat(Realtime.payloads(db)).containsExactly("""
                step:a:failed {"status": "failed", "failed_at": "stored", "step_slug": "a", "event_type": "step:failed", "error_message": "second"}""", """
                run:failed {"status": "failed", "failed_at": "stored", "flow_slug": "f", "event_type": "run:failed", "error_message": "second"}""");
    }

    @Test
    void aStepWhoseConditionFails(Flows db) {
        db.define("f", "a | required_input_pattern => '{\"x\": 1}', when_unmet => 'fail'");
        db.start("f", "1");
        assertThat(Realtime.payloads(db)).containsExactly(RUN_STARTED, """
                step:a:failed {"status": "failed", "failed_at": "stored", "step_slug": "a", "event_type": "step:failed", "error_message": "Condition not met"}""", """
                run:failed {"status": "failed", "failed_at": "stored", "flow_slug": "f", "event_type": "run:failed", "error_message": "Condition not met"}""");
    }

    @Test
    void anOutputThatIsNoArray(Flows db) {
        db.define("f", """
                p
                m map: p
                """);
        db.start("f", "1");
        Realtime.events(db);

        db.complete(db.claimOne("f"), "{}");
        assertThat(Realtime.payloads(db)).containsExactly("""
                step:p:failed {"status": "failed", "failed_at": "stored", "step_slug": "p", "event_type": "step:failed", \
                "error_message": "[TYPE_VIOLATION] Map step m expects array input but dependency p produced object"}""", """
                run:failed {"status": "failed", "failed_at": "stored", "flow_slug": "f", "event_type": "run:failed", \
                "error_message": "[TYPE_VIOLATION] Map step m expects array input but dependency p produced object"}""");
    }

    @Test
    void aMapWithoutTasks(Flows db) {
        db.define("f", "m map");
        db.start("f", "[]");
        assertThat(Realtime.payloads(db)).containsExactly("""
                run:started {"input": [], "status": "started", "flow_slug": "f", "event_type": "run:started", "started_at": "stored", "remaining_steps": 1}""", """
                step:m:completed {"output": [], "status": "completed", "step_slug": "m", "event_type": "step:completed", "started_at": "stored", \
                "completed_at": "stored", "remaining_deps": 0, "remaining_tasks": 0}""", """
                run:completed {"output": {"m": []}, "status": "completed", "flow_slug": "f", "event_type": "run:completed", "completed_at": "stored"}""");
    }

    @Test
    void parentsWithoutTasksComeBeforeTheirChildren(Flows db) {
        db.define("f", """
                z map
                y map: z
                x map: y
                b: x
                a: x
                """);
        db.start("f", "[]");
        assertThat(Realtime.events(db))
                .containsExactly(
                        "run:started",
                        "step:z:completed",
                        "step:y:completed",
                        "step:x:completed",
                        "step:a:started",
                        "step:b:started");
    }

    @Test
    void aStepThatItsConditionSkips(Flows db) {
        db.define("f", "a | required_input_pattern => '{\"x\": 1}'");
        db.start("f", "1");
        assertThat(Realtime.payloads(db)).containsExactly(RUN_STARTED, """
                step:a:skipped {"status": "skipped", "flow_slug": "f", "step_slug": "a", "event_type": "step:skipped", "skipped_at": "stored", \
                "skip_reason": "condition_unmet"}""", """
                run:completed {"output": null, "status": "completed", "flow_slug": "f", "event_type": "run:completed", "completed_at": "stored"}""");
    }

    @Test
    void aStepWhoseHandlerFailedAndThoseSkippedWithIt(Flows db) {
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => 'skip-cascade'
                b: a
                """);
        db.start("f", "1");
        Realtime.events(db);

        db.fail(db.claimOne("f"), "no");
        assertThat(Realtime.payloads(db)).containsExactly("""
                step:a:skipped {"status": "skipped", "step_slug": "a", "event_type": "step:skipped", "skipped_at": "stored", "skip_reason": "handler_failed", \
                "error_message": "no"}""", """
                step:b:skipped {"status": "skipped", "flow_slug": "f", "step_slug": "b", "event_type": "step:skipped", "skipped_at": "stored", \
                "skip_reason": "dependency_skipped"}""", """
                run:completed {"output": null, "status": "completed", "flow_slug": "f", "event_type": "run:completed", "completed_at": "stored"}""");
    }

    @Test
    void aStepWhoseHandlerFailedWithoutAMessage(Flows db) {
        db.define("f", "max_attempts => 1", "a | when_exhausted => 'skip'");
        db.start("f", "1");
        Realtime.events(db);

        db.fail(db.claimOne("f"), null);
        assertThat(Realtime.payloads(db)).first().isEqualTo("""
                step:a:skipped {"status": "skipped", "step_slug": "a", "event_type": "step:skipped", "skipped_at": "stored", "skip_reason": "handler_failed", \
                "error_message": null}""");
    }

    /** Given any reason, it is the same event; and it does not end the run, for which something else must be called. */
    @Test
    @CoreDatabase.Tampering
    void stepsSkippedByForce(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        var run = db.start("f", "1");
        Realtime.events(db);

        db.run("select pgflow._cascade_force_skip_steps(?, 'a', 'handler_failed')", run);
        assertThat(Realtime.payloads(db)).containsExactly("""
                step:a:skipped {"status": "skipped", "flow_slug": "f", "step_slug": "a", "event_type": "step:skipped", "skipped_at": "stored", \
                "skip_reason": "handler_failed"}""", """
                step:b:skipped {"status": "skipped", "flow_slug": "f", "step_slug": "b", "event_type": "step:skipped", "skipped_at": "stored", \
                "skip_reason": "dependency_skipped"}""");

        db.run("select pgflow._cascade_force_skip_steps(?, 'a', 'handler_failed')", run);
        assertThat(Realtime.events(db)).isEmpty();
        for (int i = 0; i < 2; i++) db.run("select pgflow.maybe_complete_run(?)", run);
        assertThat(Realtime.events(db)).containsExactly("run:completed");
    }

    @Test
    void aCascadeInTheOrderOfTheGraphNotOfTheSlugs(Flows db) {
        db.define("f", """
                d | required_input_pattern => '{"x": 1}', when_unmet => 'skip-cascade'
                e | required_input_pattern => '{"x": 1}', when_unmet => 'skip-cascade'
                c: d
                b: c, e
                a: b
                """);
        db.start("f", "1");
        assertThat(Realtime.events(db))
                .containsExactly(
                        "run:started",
                        "step:d:skipped",
                        "step:e:skipped",
                        "step:c:skipped",
                        "step:b:skipped",
                        "step:a:skipped",
                        "run:completed");
    }

    @Test
    void aTaskThatIsGivenUp(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        Realtime.events(db);
        for (int i = 0; i < 3; i++) {
            db.backdate(db.claimOne("f"), 1000);
            db.run("select pgflow.recover_tasks()");
        }
        assertThat(Realtime.events(db)).as("put back").isEmpty();

        db.backdate(db.claimOne("f"), 1000);
        db.run("select pgflow.recover_tasks()");
        assertThat(Realtime.events(db)).containsExactly("step:a:failed", "run:failed");
    }

    @Test
    void nothingIsToldOfTasks(Flows db) {
        db.define("f", "m map");
        db.start("f", "[1, 2, 3]");
        assertThat(Realtime.events(db)).containsExactly("run:started", "step:m:started");

        var tasks = db.claim("f", 10);
        db.release(tasks.get(0).with(null));
        db.fail(tasks.get(1), "again");
        db.backdate(tasks.get(2), 1000);
        db.run("select pgflow.requeue_stalled_tasks()");
        db.show("f");
        tasks = db.claim("f", 10);
        db.completeTasks(tasks.get(0).with("1"), tasks.get(1).with("2"));
        db.complete(tasks.get(0), "9");
        assertThat(Realtime.events(db)).isEmpty();

        db.completeTasks(tasks.get(2).with("3"));
        assertThat(Realtime.events(db)).containsExactly("step:m:completed", "run:completed");
        db.complete(tasks.get(2), "9");
        db.fail(tasks.get(2), "late");
        assertThat(Realtime.events(db)).isEmpty();
    }

    @Test
    void aRunThatIsThereAlreadyIsNotStartedAgain(Flows db) {
        db.define("f", "a");
        var ids = new UUID[] {UUID.randomUUID(), UUID.randomUUID()};
        db.run("select pgflow.start_flows('f', array['1']::jsonb[], ?)", (Object) new UUID[] {ids[0]});
        Realtime.events(db);

        db.run("select pgflow.start_flows('f', array['1', '2']::jsonb[], ?)", (Object) ids);
        assertThat(Realtime.events(db)).containsExactly("run:started", "step:a:started");
    }

    @Test
    void manyRunsInOneCall(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        db.startMany("f", 50);
        assertThat(Realtime.events(db)).hasSize(100);
        db.drain("f", "1");
        assertThat(Realtime.events(db)).hasSize(200);
    }

    private static List<String> warnings(Flows db, String sql, Object... arguments) {
        return db.notices(sql, arguments).stream().map(SQLWarning::getMessage).toList();
    }

    @Test
    void aFailureToSendChangesNothing(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b: a | when_exhausted => 'skip-cascade'
                """);
        db.begin();
        db.run("""
                create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
                language plpgsql as $$ begin insert into realtime.messages (event) values (event); raise 'the line is dead'; end $$""");

        assertThat(warnings(db, "select pgflow.start_flow('f', '1')"))
                .hasSize(2)
                .first()
                .asString()
                .startsWith("1 event(s) were not sent, the first was run:started to pgflow:run:")
                .endsWith(": the line is dead");
        db.complete(db.claimOne("f"), "2");
        db.fail(db.claimOne("f"), "no");
        assertThat(db.line("select status, output from pgflow.runs")).isEqualTo("completed -");
        assertThat(db.lines("select step_slug, status from pgflow.step_states order by 1"))
                .containsExactly("a completed", "b skipped");
        assertThat(Realtime.events(db)).as("taken back").isEmpty();
        db.rollback();
    }

    @Test
    void anEventThatIsRefusedCostsNoOtherTheirs(Flows db) {
        db.define("f", "a");
        var runs = db.startMany("f", 5);
        var bad = runs.get(2);
        Realtime.events(db);
        db.begin();
        db.run("alter table realtime.messages add check (not (payload @> '{\"run_id\": \"" + bad
                + "\", \"event_type\": \"step:completed\"}'))");

        var tasks = db.claim("f", 10);
        assertThat(
                        warnings(
                                db,
                                "select pgflow.complete_tasks(array_agg(run_id), array_agg(step_slug), array_agg(task_index), array_agg(claim_no), array_agg('1'::jsonb)) from pgflow.step_tasks"))
                .singleElement()
                .asString()
                .startsWith("1 event(s) were not sent, the first was step:a:completed to pgflow:run:" + bad)
                .contains("violates check constraint");
        assertThat(tasks).hasSize(5);
        assertThat(db.lines("select event, count(*) from realtime.messages where not heard group by 1 order by 1"))
                .containsExactly("run:completed 5", "step:a:completed 4");
        db.rollback();
    }

    /** Has every function fail that has to do with an event. */
    private static void refuseToSend(Flows db) {
        for (var function : List.of("_events", "_send_events")) {
            db.run("drop function pgflow." + function);
            db.run(
                    "create function pgflow." + function
                            + "(uuid[], text[], text[]) returns void language plpgsql as $$ begin raise 'somebody listens'; end $$");
        }
    }

    @Test
    void whereNobodyListensNothingIsBuilt(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b: a
                c: b | required_input_pattern => '{"x": 1}', when_unmet => 'skip-cascade'
                d: c
                e: b | required_input_pattern => '{"x": 1}'
                m map: e
                g: b | when_exhausted => 'skip'
                """);
        db.begin();
        refuseToSend(db);
        assertThat(db.refusal("select pgflow.start_flow('f', '1')").message()).isEqualTo("somebody listens");
        db.rollback();

        db.begin();
        Realtime.remove(db);
        refuseToSend(db);
        var completed = db.start("f", "1");
        db.complete(db.claimOne("f"), "1");
        db.complete(db.claimOne("f"), "1");
        db.fail(db.claimOne("f"), "no");
        var failed = db.start("f", "1");
        db.fail(db.claimOne("f"), "no");
        assertThat(db.run(completed)).isEqualTo("completed 0");
        assertThat(db.steps(completed, "status"))
                .containsExactly(
                        "a completed",
                        "b completed",
                        "c skipped",
                        "d skipped",
                        "e skipped",
                        "m completed",
                        "g skipped");
        assertThat(db.run(failed)).isEqualTo("failed 7");
        db.rollback();
    }
}
