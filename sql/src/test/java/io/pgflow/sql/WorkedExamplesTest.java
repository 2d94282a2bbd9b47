package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract's worked examples, step by step, by the calls that pgflow's own workers make. Tables: step, status, rd, it, rt. */
@ExtendWith(CoreDatabase.class)
class WorkedExamplesTest {
    @BeforeEach
    void listen(Flows db) {
        Realtime.install(db);
    }

    private static void assertEvents(Flows db, String... events) {
        assertThat(Realtime.events(db)).containsExactly(events);
    }

    @Test
    void fanOutAndFanIn(Flows db) {
        db.define("website", """
                fetch
                summary: fetch
                tags: fetch
                save: summary, tags
                """);
        var run = db.start("website", "{\"url\": \"u\"}");

        assertThat(db.steps(run))
                .containsExactly(
                        "fetch started 0 1 1", "summary created 1 1 -", "tags created 1 1 -", "save created 2 1 -");
        assertThat(db.run(run)).isEqualTo("started 4");
        assertThat(db.lines("select step_slug, task_index, status, message_id from pgflow.step_tasks"))
                .containsExactly("fetch 0 queued 1");
        assertEvents(db, "run:started", "step:fetch:started");

        var fetch = db.poll("website").getFirst();
        assertThat(fetch.input() + " " + fetch.flowInput()).isEqualTo("{} {\"url\": \"u\"}");
        db.complete(fetch, "{\"html\": \"x\"}");
        assertThat(db.run(run)).isEqualTo("started 3");
        assertThat(
                        db.lines(
                                "select step_slug, task_index, message_id from pgflow.step_tasks where status = 'queued' order by 3"))
                .containsExactly("summary 0 2", "tags 0 3");
        assertEvents(db, "step:fetch:completed", "step:summary:started", "step:tags:started");

        var both = db.poll("website");
        assertThat(both).allSatisfy(task -> {
            assertThat(task.input()).isEqualTo("{\"fetch\": {\"html\": \"x\"}}");
            assertThat(task.flowInput()).isNull();
        });
        db.complete(both.get(0), "\"s\"");
        db.complete(both.get(1), "[\"a\"]");
        assertEvents(db, "step:summary:completed", "step:tags:completed", "step:save:started");
        var save = db.poll("website").getFirst();
        assertThat(save.toString()).isEqualTo("save[0] {\"tags\": [\"a\"], \"summary\": \"s\"}");
        db.complete(save, "{\"ok\": true}");
        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 {\"save\": {\"ok\": true}}");
        assertEvents(db, "step:save:completed", "run:completed");
    }

    private static void defineDouble(Flows db) {
        db.define("numbers", """
                double map
                label map: double
                sum: double
                """);
    }

    @Test
    void mapToMapOutOfOrderWithANull(Flows db) {
        defineDouble(db);
        var run = db.start("numbers", "[10, null, 30]");
        var tasks = db.poll("numbers");
        assertThat(Flows.said(tasks)).containsExactly("double[0] 10", "double[1] null", "double[2] 30");

        db.complete(tasks.get(2), "60");
        db.complete(tasks.get(0), "20");
        assertEvents(db, "run:started", "step:double:started");
        assertThat(db.steps(run)).containsExactly("double started 0 3 1", "label created 1 - -", "sum created 1 1 -");

        db.complete(tasks.get(1), null);
        assertThat(db.steps(run, "status, initial_tasks, remaining_tasks, output"))
                .containsExactly("double completed 3 0 [20, null, 60]", "label started 3 3 -", "sum started 1 1 -");
        assertThat(
                        db.lines(
                                "select step_slug, task_index, message_id from pgflow.step_tasks where status = 'queued' order by 3"))
                .containsExactly("label 0 4", "label 1 5", "label 2 6", "sum 0 7");
        assertThat(Flows.said(db.poll("numbers")))
                .containsExactly("label[0] 20", "label[1] null", "label[2] 60", "sum[0] {\"double\": [20, null, 60]}");
        assertThat(db.task(tasks.get(1), "output")).isEqualTo("-");
        assertEvents(db, "step:double:completed", "step:label:started", "step:sum:started");
    }

    @Test
    void emptyArray(Flows db) {
        defineDouble(db);
        var run = db.start("numbers", "[]");

        assertThat(db.steps(run, "status, initial_tasks, remaining_tasks, output"))
                .containsExactly("double completed 0 0 []", "label completed 0 0 []", "sum started 1 1 -");
        assertThat(Flows.said(db.poll("numbers"))).containsExactly("sum[0] {\"double\": []}");
        assertEvents(db, "run:started", "step:double:completed", "step:label:completed", "step:sum:started");

        db.define("maps", """
                double map
                label map: double
                """);
        assertThat(db.line("select status, output from pgflow.start_flow('maps', '[]')"))
                .isEqualTo("completed {\"label\": []}");
        assertEvents(db, "run:started", "step:double:completed", "step:label:completed", "run:completed");
    }

    @Test
    void retry(Flows db) {
        db.define("f", "max_attempts => 3, base_delay => 5", "a");
        var run = db.start("f", "1");

        assertThat(db.fail(db.poll("f").getFirst(), "e1")).isEqualTo("a[0] queued 1 - e1");
        assertThat(db.hiddenFor("f", 1)).isBetween(8L, 10L);
        assertThat(db.step(run, "a", "status, error_message")).isEqualTo("started -");
        db.show("f");

        assertThat(db.fail(db.poll("f").getFirst(), "e2")).isEqualTo("a[0] queued 2 - e2");
        assertThat(db.hiddenFor("f", 1)).isBetween(18L, 20L);
        db.show("f");

        assertEvents(db, "run:started", "step:a:started");
        assertThat(db.fail(db.poll("f").getFirst(), "e3")).isEqualTo("a[0] failed 3 - e3");
        assertThat(db.archive("f")).containsExactly("a[0]");
        assertThat(db.step(run, "a", "status, remaining_tasks, error_message")).isEqualTo("failed 1 e3");
        assertThat(db.run(run)).isEqualTo("failed 1");
        assertEvents(db, "step:a:failed", "run:failed");
    }

    @Test
    void typeViolation(Flows db) {
        db.define("f", """
                p
                m map: p
                """);
        var run = db.start("f", "1");

        assertThat(db.complete(db.poll("f").getFirst(), "{\"a\": 1}"))
                .isEqualTo("p[0] failed 1 {\"a\": 1} [TYPE_VIOLATION] Produced object instead of array");
        assertThat(db.steps(run, "status, initial_tasks, remaining_tasks, error_message"))
                .containsExactly(
                        "p failed 1 1 [TYPE_VIOLATION] Map step m expects array input but dependency p produced object",
                        "m created - - -");
        assertThat(db.run(run)).isEqualTo("failed 2");
        assertThat(db.queue("f")).isEmpty();
        assertEvents(db, "run:started", "step:p:started", "step:p:failed", "run:failed");
    }

    @Test
    void runFailureWithSiblingsAndLateCallbacks(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b
                """);
        var run = db.start("f", "1");
        var tasks = db.poll("f");

        db.fail(Flows.named(tasks, "a[0]"), "oops");
        assertThat(db.run(run)).isEqualTo("failed 2");
        assertThat(db.tasks(run)).containsExactly("a[0] failed 1 - oops", "b[0] started 1 - -");
        assertThat(db.steps(run)).containsExactly("a failed 0 1 1", "b started 0 1 1");
        assertThat(db.archive("f")).containsExactly("a[0]", "b[0]");
        assertEvents(db, "run:started", "step:a:started", "step:b:started", "step:a:failed", "run:failed");

        assertThat(db.complete(Flows.named(tasks, "b[0]"), "1")).isEqualTo("b[0] started 1 - -");
        assertThat(db.fail(Flows.named(tasks, "b[0]"), "late")).isEqualTo("b[0] failed 1 - late");
        assertThat(db.step(run, "b", "status")).isEqualTo("started");
        assertEvents(db);
    }

    @Test
    void skipAfterExhaustedRetriesWithAMapInBetween(Flows db) {
        db.define("f", """
                a | max_attempts => 0, when_exhausted => 'skip'
                m map: a
                z: m
                q: a
                """);
        var run = db.start("f", "1");

        assertEvents(db, "run:started", "step:a:started");

        assertThat(db.fail(db.poll("f").getFirst(), "boom")).isEqualTo("a[0] failed 1 - boom");
        assertThat(db.steps(run, "status, initial_tasks, output, skip_reason, error_message"))
                .containsExactly(
                        "a skipped 1 - handler_failed boom",
                        "m completed 0 [] - -",
                        "z started 1 - - -",
                        "q started 1 - - -");
        assertThat(db.run(run)).isEqualTo("started 2");
        assertThat(Flows.said(db.poll("f"))).containsExactly("q[0] {}", "z[0] {\"m\": []}");
        assertEvents(db, "step:a:skipped", "step:m:completed", "step:q:started", "step:z:started");
    }

    @Test
    void conditionsThatSkip(Flows db) {
        db.define("f", """
                opt | required_input_pattern => '{"opt": true}'
                prem | required_input_pattern => '{"plan": "pro"}', when_unmet => 'skip-cascade'
                report: prem
                fallback: opt | forbidden_input_pattern => '{"opt": {}}'
                join: opt, fallback
                """);
        var run = db.start("f", "{\"plan\": \"free\"}");

        assertThat(db.steps(run, "status, remaining_deps, skip_reason"))
                .containsExactly(
                        "opt skipped 0 condition_unmet",
                        "prem skipped 0 condition_unmet",
                        "report skipped 1 dependency_skipped",
                        "fallback started 0 -",
                        "join created 1 -");
        assertThat(db.run(run)).isEqualTo("started 2");
        assertEvents(
                db,
                "run:started",
                "step:opt:skipped",
                "step:prem:skipped",
                "step:report:skipped",
                "step:fallback:started");

        var fallback = db.poll("f").getFirst();
        assertThat(fallback.toString()).isEqualTo("fallback[0] {}");
        db.complete(fallback, "1");
        var join = db.poll("f").getFirst();
        assertThat(join.toString()).isEqualTo("join[0] {\"fallback\": 1}");
        db.complete(join, "2");
        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 {\"join\": 2}");
        assertEvents(db, "step:fallback:completed", "step:join:started", "step:join:completed", "run:completed");
    }

    @Test
    void conditionThatFailsWhileOthersRun(Flows db) {
        db.define("f", """
                a
                b
                g: a | required_input_pattern => '{"a": {"ok": true}}', when_unmet => 'fail'
                """);
        var run = db.start("f", "1");
        var tasks = db.poll("f");
        assertEvents(db, "run:started", "step:a:started", "step:b:started");

        assertThat(db.complete(Flows.named(tasks, "a[0]"), "{\"ok\": false}"))
                .isEqualTo("a[0] completed 1 {\"ok\": false} -");
        assertThat(db.steps(run, "status, error_message, started_at is null, remaining_tasks"))
                .containsExactly("a completed - f 0", "b started - f 1", "g failed Condition not met t -");
        assertThat(db.run(run)).isEqualTo("failed 2");
        assertThat(db.queue("f")).isEmpty();
        assertThat(db.archive("f")).containsExactly("a[0]", "b[0]");
        assertEvents(db, "step:a:completed", "step:g:failed", "run:failed");

        db.define("root", "a | required_input_pattern => '{\"ok\": true}', when_unmet => 'fail'");
        assertThat(db.line("select status from pgflow.start_flow('root', '1')")).isEqualTo("failed");
        assertThat(db.lines("select * from pgflow.step_tasks where flow_slug = 'root'"))
                .isEmpty();
        assertEvents(db, "run:started", "step:a:failed", "run:failed");
    }

    @Test
    void mapSkippedHalfWay(Flows db) {
        db.define("f", """
                m map | max_attempts => 0, when_exhausted => 'skip'
                c: m
                """);
        var run = db.start("f", "[1, 2, 3]");
        db.run("select pgmq.read('f', 5, 3)");
        var tasks = db.startTasks("f", 1L, 2L);
        db.complete(tasks.get(1), "\"kept\"");
        db.fail(tasks.get(0), "bad");

        assertThat(db.steps(run, "status, remaining_tasks, output")).containsExactly("m skipped - -", "c started 1 -");
        assertThat(db.tasks(run))
                .containsExactly(
                        "c[0] queued 0 - -", "m[0] failed 1 - bad", "m[1] completed 1 \"kept\" -", "m[2] queued 0 - -");
        assertThat(db.archive("f")).containsExactly("m[0]", "m[1]", "m[2]");
        assertThat(db.startTasks("f", 3L)).isEmpty();
        assertThat(Flows.said(db.poll("f"))).containsExactly("c[0] {}");
        assertThat(db.run(run)).isEqualTo("started 1");
        assertEvents(db, "run:started", "step:m:started", "step:m:skipped", "step:c:started");
    }

    @Test
    void stalledTask(Flows db) {
        db.define("f", "timeout => 5", "a");
        db.start("f", "1");
        var state = "select status, started_at, last_worker_id, requeued_count, attempts_count from pgflow.step_tasks";

        db.backdate(db.poll("f").getFirst(), 36);
        assertThat(db.number("select pgflow.requeue_stalled_tasks()")).isEqualTo(1);
        assertThat(db.line(state)).isEqualTo("queued - - 1 1");
        for (int i = 2; i <= 3; i++) {
            db.backdate(db.poll("f").getFirst(), 36);
            assertThat(db.number("select pgflow.requeue_stalled_tasks()")).isEqualTo(1);
        }
        db.backdate(db.poll("f").getFirst(), 36);
        assertThat(db.number("select pgflow.requeue_stalled_tasks()")).isZero();
        assertThat(db.line("select status, requeued_count, permanently_stalled_at is not null from pgflow.step_tasks"))
                .isEqualTo("started 3 t");
        assertThat(db.queue("f")).isEmpty();
        assertEvents(db, "run:started", "step:a:started");
    }

    /** What a client of pgflow sends that makes its own run ids. */
    @Test
    void runIdOfTheClient(Flows db) {
        db.define("f", "a");
        var id = UUID.randomUUID();

        assertThat(db.line(
                        "select run_id, status from pgflow.start_flow(flow_slug => 'f', input => '{}'::jsonb, run_id => ?::uuid)",
                        id))
                .isEqualTo(id + " started");
    }
}
