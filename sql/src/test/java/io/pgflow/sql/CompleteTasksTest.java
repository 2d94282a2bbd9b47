package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Flows.Report;
import io.pgflow.sql.Flows.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class CompleteTasksTest {

    @Test
    void returnsARowForEachReportInTheirOrder(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        var runs = db.startMany("f", 3);
        var tasks = db.claim("f", 10);

        assertThat(db.lines("""
                        select * from pgflow.complete_tasks(run_ids => ?, step_slugs => array['a', 'a', 'x'], task_indexes => array[0, 0, 0],
                          claim_nos => array[1, 1, 1], outputs => array['1', '2', '3']::jsonb[])""", (Object) new UUID[] {
                    tasks.get(1).run(), tasks.get(0).run(), tasks.get(2).run()
                }))
                .containsExactly(
                        "1 %s completed - - t - - -".formatted(runs.get(1)),
                        "2 %s completed - - t - - -".formatted(runs.get(0)),
                        "3 %s late - - f - - -".formatted(runs.get(2)));
    }

    @Test
    void saysWhichRunsEndedAndInWhichSomethingIsReady(Flows db) {
        db.define("ends", "a");
        db.define("goes_on", """
                a
                b: a
                """);
        db.define("waits", """
                a
                b
                c: a, b
                """);
        db.define("fails", """
                a
                m map: a
                """);
        List.of("ends", "goes_on", "waits", "fails").forEach(flow -> db.start(flow, "1"));

        assertThat(db.completeTasks(
                        db.claim("ends", "a[0]").with("1"),
                        db.claim("goes_on", "a[0]").with("1"),
                        db.claim("waits", "a[0]").with("1"),
                        db.claim("fails", "a[0]").with("1")))
                .containsExactly("1 completed completed f", "2 completed - t", "3 completed - f", "4 failed failed f");
    }

    @Test
    void saysThatARunEndedOnItsLastReportOnly(Flows db) {
        db.define("f", """
                a
                b
                """);
        db.start("f", "1");

        assertThat(db.completeTasks(Flows.reports(db.claim("f", 10), "1")))
                .containsExactly("1 completed - f", "2 completed completed f");
    }

    @Test
    void saysOnceThatARunEndedOfWhichAlsoAnEmptyMapWasLookedAt(Flows db) {
        db.define("f", """
                a
                m map: a
                """);
        var run = db.start("f", "1");
        db.run("select pgflow._cascade_force_skip_steps(?, 'm', 'unwanted')", run);

        assertThat(db.completeTasks(db.claimOne("f").with("[]"))).containsExactly("1 completed completed f");
    }

    @Test
    void doesNotSayOfARunThatEndedBeforeThatItEnded(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        var task = db.claimOne("f");
        db.completeTasks(task.with("1"));

        assertThat(db.completeTasks(task.with("2"))).containsExactly("1 late - f");
    }

    @Test
    void changesNothingForALateClaim(Flows db) {
        db.define("f", "base_delay => 0", "a");
        var run = db.start("f", "1");
        var first = db.claimOne("f");
        db.fail(first, "no");

        assertThat(db.completeTasks(first.with("1"))).as("queued again").containsExactly("1 late - f");
        var second = db.claimOne("f");
        assertThat(db.completeTasks(first.with("1"))).as("claimed again").containsExactly("1 late - f");
        assertThat(db.completeTasks(second.with("1").ofClaim(3)))
                .as("never claimed so")
                .containsExactly("1 late - f");
        assertThat(db.tasks(run)).containsExactly("a[0] started 2 - no");
        assertThat(db.queue("f")).containsExactly("a[0]");

        assertThat(db.completeTasks(second.with("2"))).containsExactly("1 completed completed f");
        assertThat(db.output(run)).isEqualTo("{\"a\": 2}");
    }

    @Test
    void takesANullClaimForTheCurrentOne(Flows db) {
        db.define("f", "a");
        db.start("f", "1");

        assertThat(db.completeTasks(db.claimOne("f").with("1").ofClaim(null)))
                .containsExactly("1 completed completed f");
    }

    @Test
    void completesATaskThatIsReportedTwiceOnce(Flows db) {
        db.define("f", "m map");
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);

        assertThat(db.completeTasks(tasks.get(0).with("1"), tasks.get(0).with("2")))
                .containsExactly("1 completed - f", "2 late - f");
        assertThat(db.step(run, "m", "status, remaining_tasks")).isEqualTo("started 1");
        assertThat(db.task(tasks.get(0), "output")).isEqualTo("1");
    }

    @Test
    void completesManyRunsStepsAndFlowsInOneCall(Flows db) {
        db.define("f", """
                a
                b
                z: a, b
                """);
        db.define("g", """
                m map
                n map: m
                """);
        var fs = db.startMany("f", 3);
        var g = db.start("g", "[1, 2, 3]");
        var tasks = new ArrayList<>(db.claim("f", 100));
        tasks.addAll(db.claim("g", 100));
        assertThat(tasks).hasSize(9);

        var lines = db.completeTasks(tasks.stream()
                .map(task -> task.with(
                        task.step().equals("m") ? "{\"of\": " + task.input() + "}" : "\"" + task.step() + "\""))
                .toArray(Report[]::new));

        assertThat(lines).hasSize(9).allMatch(line -> line.endsWith(" completed - t"));
        assertThat(fs)
                .allSatisfy(run -> assertThat(db.steps(run))
                        .containsExactly("a completed 0 1 0", "b completed 0 1 0", "z started 0 1 1"));
        assertThat(db.step(g, "m", "output")).isEqualTo("[{\"of\": 1}, {\"of\": 2}, {\"of\": 3}]");
        assertThat(Flows.said(db.claim("f", 100)))
                .containsOnly("z[0] {\"a\": \"a\", \"b\": \"b\"}")
                .hasSize(3);
        assertThat(Flows.said(db.claim("g", 100)))
                .containsExactly("n[0] {\"of\": 1}", "n[1] {\"of\": 2}", "n[2] {\"of\": 3}");
    }

    @Test
    void completesAMapInBatches(Flows db) {
        db.define("f", "m map");
        var run = db.start("f", IntStream.range(0, 1000).boxed().toList().toString());
        for (var some = db.claim("f", 300); !some.isEmpty(); some = db.claim("f", 300)) {
            db.completeTasks(some.stream().map(task -> task.with(task.input())).toArray(Report[]::new));
        }

        assertThat(db.holds("output = jsonb_build_object('m', input) from pgflow.runs where run_id = ?", run))
                .isTrue();
    }

    @Test
    void completesAStepAndItsDependentInTwoCallsOnly(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        var early = new Report(run, "b", 0, null, "1", null);

        assertThat(db.completeTasks(task.with("1"), early)).containsExactly("1 completed - t", "2 late - t");
        assertThat(db.tasks(run)).containsExactly("a[0] completed 1 1 -", "b[0] queued 0 - -");
        assertThat(db.queue("f")).containsExactly("b[0]");
    }

    @Test
    void settlesEmptyMapsAndConditionsOfSomeRunsBesideOthers(Flows db) {
        db.define("f", """
                a
                m map: a
                z: m
                """);
        db.define("g", """
                a
                b: a | required_input_pattern => '{"a": {"ok": true}}', when_unmet => 'fail'
                """);
        var full = db.start("f", "1");
        var empty = db.start("f", "2");
        var good = db.start("g", "3");
        var bad = db.start("g", "4");
        var f = db.claim("f", 10);
        var g = db.claim("g", 10);

        assertThat(db.completeTasks(
                        f.get(0).with("[7]"),
                        f.get(1).with("[]"),
                        g.get(0).with("{\"ok\": true}"),
                        g.get(1).with("{\"ok\": false}")))
                .containsExactly("1 completed - t", "2 completed - t", "3 completed - t", "4 completed failed f");
        assertThat(db.steps(full)).containsExactly("a completed 0 1 0", "m started 0 1 1", "z created 1 1 -");
        assertThat(db.steps(empty)).containsExactly("a completed 0 1 0", "m completed 0 0 0", "z started 0 1 1");
        assertThat(db.steps(good)).containsExactly("a completed 0 1 0", "b started 0 1 1");
        assertThat(db.steps(bad)).containsExactly("a completed 0 1 0", "b failed 0 1 -");
    }

    @Test
    void tellsTheErrorOfARunThatAViolationFailed(Flows db) {
        db.define("f", """
                a
                m map: a
                """);
        var run = db.start("f", "1");
        db.claimOne("f");

        assertThat(db.line(
                        "select outcome, run_ended, run_error from pgflow.complete_tasks(array[?]::uuid[], array['a'], array[0], array[1], array['1']::jsonb[])",
                        run))
                .isEqualTo(
                        "failed failed [TYPE_VIOLATION] Map step m expects array input but dependency a produced number");
    }

    @Test
    void failsTheRunOnceForSeveralViolationsAndCountsTheRestAsLate(Flows db) {
        db.define("f", """
                p
                q
                r
                m map: p
                n map: q
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);

        assertThat(db.completeTasks(
                        Flows.named(tasks, "r[0]").with("1"),
                        Flows.named(tasks, "p[0]").with("1"),
                        Flows.named(tasks, "q[0]").with("2")))
                .containsExactly("1 late - f", "2 failed - f", "3 late failed f");
        assertThat(db.tasks(run))
                .containsExactly(
                        "p[0] failed 1 1 [TYPE_VIOLATION] Produced number instead of array",
                        "q[0] started 1 - -",
                        "r[0] started 1 - -");
        assertThat(db.run(run)).isEqualTo("failed 5");
    }

    @Test
    void completesTheOtherRunsBesideAViolation(Flows db) {
        db.define("f", """
                p
                m map: p
                """);
        db.startMany("f", 2);
        var tasks = db.claim("f", 10);

        assertThat(db.completeTasks(tasks.get(0).with("{}"), tasks.get(1).with("[1]")))
                .containsExactly("1 failed failed f", "2 completed - t");
    }

    @Test
    void passesReportsOverThatNameNothing(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");

        assertThat(db.completeTasks(
                        new Report(UUID.randomUUID(), "a", 0, 1, "1", null),
                        new Report(run, null, 0, 1, "1", null),
                        new Report(run, "a", null, 1, "1", null),
                        new Report(run, "a", 1, 1, "1", null),
                        task.with("1")))
                .containsExactly("1 late - f", "2 late - f", "3 late - f", "4 late - f", "5 completed completed f");
    }

    @Test
    void doesNothingForNoReports(Flows db) {
        assertThat(db.completeTasks()).isEmpty();
        assertThat(db.lines("select * from pgflow.complete_tasks(null, null, null, null, null)"))
                .isEmpty();
    }

    @Test
    void locksRunsInOneOrderWhateverTheOrderOfReports(Flows a, Flows b) {
        a.define("f", "m map");
        a.run("select pgflow.start_flows('f', array_fill('[1, 2]'::jsonb, array[100]))");
        var tasks = a.claim("f", 200);
        var first = tasks.stream().filter(task -> task.index() == 0).toList();
        var second = tasks.stream().filter(task -> task.index() == 1).toList();

        for (int i = 0; i < 10; i++) {
            var some = first.subList(i * 10, i * 10 + 10);
            var others = second.subList(i * 10, i * 10 + 10).reversed();
            var one = Background.start(a, session -> session.completeTasks(Flows.reports(some, "1")));
            var other = Background.start(b, session -> session.completeTasks(Flows.reports(others, "2")));
            assertThat(one.result()).hasSize(10).allMatch(line -> line.contains(" completed "));
            assertThat(other.result()).hasSize(10).allMatch(line -> line.contains(" completed "));
        }
        assertThat(
                        a.line(
                                "select count(*), min(output::text), max(output::text) from pgflow.runs where status = 'completed'"))
                .isEqualTo("100 {\"m\": [1, 2]} {\"m\": [1, 2]}");
    }

    /** Tasks come before messages: whoever puts stalled tasks back has such a task, and wants its message next. */
    @Test
    void holdsNoMessageWhileItWaitsForATask(Flows db, Flows other) {
        db.define("f", """
                p
                m map: p
                """);
        db.startMany("f", 2);
        var tasks = db.claim("f", 10);
        other.begin();
        other.run(
                "select from pgflow.step_tasks where run_id = ? for update",
                tasks.get(1).run());

        var reports = Background.start(
                db,
                session -> session.completeTasks(
                        tasks.get(0).with("\"this fails the run\""),
                        tasks.get(1).with("[1]")));
        reports.awaitLock(other);
        other.run("select from pgmq.q_f for update nowait");
        other.commit();

        assertThat(reports.result()).containsExactly("1 failed failed f", "2 completed - t");
    }

    @Test
    void givesTheSameResultsForTasksOfStartTasks(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        Task task = db.poll("f").getFirst();

        assertThat(db.completeTasks(task.with("1").ofClaim(1))).containsExactly("1 completed completed f");
    }
}
