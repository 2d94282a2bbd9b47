package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Flows.Report;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CoreDatabase.class)
class FailTasksTest {

    @Test
    void returnsARowForEachReportInTheirOrder(Flows db) {
        db.define("f", "max_attempts => 2, base_delay => 50", "a");
        var runs = db.startMany("f", 2);
        db.claim("f", 10);

        assertThat(db.lines("""
                        select report, run_id, outcome, round(extract(epoch from retry_at - clock_timestamp()) / 10) * 10, run_ended, ready
                        from pgflow.fail_tasks(run_ids => ?, step_slugs => array['a', 'a', 'a'], task_indexes => array[0, 0, 7], claim_nos => array[1, 1, 1],
                          error_messages => array['x', 'y', 'z'], permanent => array[false, true, null])""", (Object) new UUID[] {runs.get(1), runs.get(0), runs.get(0)}))
                .containsExactly(
                        "1 %s retrying 100 - f".formatted(runs.get(1)),
                        "2 %s failed - - f".formatted(runs.get(0)),
                        "3 %s late - failed f".formatted(runs.get(0)));
    }

    @Test
    void takesNobodyForPermanentWhereThatIsLeftOut(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        db.claimOne("f");

        assertThat(db.line(
                        "select outcome from pgflow.fail_tasks(array[?]::uuid[], array['a'], array[0], array[1], array['x'])",
                        run))
                .isEqualTo("retrying");
    }

    @Test
    void saysWhenARetryIsDue(Flows db) {
        db.define("f", "base_delay => 50", "a");
        db.start("f", "1");
        var task = db.claimOne("f");

        var retryAt = db.line(
                "select retry_at from pgflow.fail_tasks(array[?]::uuid[], array['a'], array[0], array[1], array['x'])",
                task.run());
        assertThat(db.holds("abs(extract(epoch from vt - ?::timestamptz)) < 1 from pgmq.q_f", retryAt))
                .isTrue();
        assertThat(db.hiddenFor("f", 1)).isBetween(95L, 100L);
    }

    @Test
    void givesUpAtOnceWhatIsPermanent(Flows db) {
        db.define("f", "max_attempts => 9", "a");
        db.define("g", "max_attempts => 9", """
                a | when_exhausted => 'skip'
                b: a
                """);
        var f = db.start("f", "1");
        var g = db.start("g", "1");

        assertThat(db.failTasks(
                        db.claimOne("f").with("never").permanently(),
                        db.claimOne("g").with("never").permanently()))
                .containsExactly("1 failed failed f", "2 failed - t");
        assertThat(db.run(f)).isEqualTo("failed 1");
        assertThat(db.steps(g, "status, skip_reason, error_message"))
                .containsExactly("a skipped handler_failed never", "b started - -");
    }

    @Test
    void tellsTheErrorThatFailedTheRunWhicheverReportIsTheLast(Flows db) {
        db.define("f", """
                a | max_attempts => 9
                b | max_attempts => 1
                c | max_attempts => 9
                """);
        var run = db.start("f", "1");
        db.claim("f", 10);

        assertThat(db.lines("""
                        select outcome, run_ended, run_error
                        from pgflow.fail_tasks(array_fill(?::uuid, array[3]), array['a', 'b', 'c'], array[0, 0, 0], array[1, 1, 1],
                          array['of a', 'of b', 'of c'])""", run)).containsExactly("failed - -", "failed - -", "failed failed of b");
    }

    @Test
    void triesAgainWhenTheReportSaysSo(Flows db) {
        db.define("f", "base_delay => 5000", "m map");
        var run = db.start("f", "[1, 2, 3]");
        db.claim("f", 10);

        assertThat(db.lines("""
                        select outcome, round(extract(epoch from retry_at - clock_timestamp()) / 100)
                        from pgflow.fail_tasks(array_fill(?::uuid, array[3]), array['m', 'm', 'm'], array[0, 1, 2], array[1, 1, 1],
                          array['x', 'y', 'z'], retry_after => array[300, 0, null])""", run)).containsExactly("retrying 3", "retrying 0", "retrying 100");
        assertThat(db.hiddenFor("f", 1)).isBetween(295L, 300L);
        assertThat(Flows.names(db.claim("f", 10))).as("due at once").containsExactly("m[1]");
        assertThat(db.tasks(run))
                .as("the attempts count all the same")
                .containsExactly("m[0] queued 1 - x", "m[1] started 2 - y", "m[2] queued 1 - z");
    }

    @Test
    void givesUpWhenTheAttemptsAreExhaustedThoughTheReportWouldTryAgain(Flows db) {
        db.define("f", "max_attempts => 1", "a");
        db.define("g", "max_attempts => 9", "a");

        for (var flow : List.of("f", "g")) {
            var run = db.start(flow, "1");
            db.claimOne(flow);
            assertThat(db.line(
                            "select outcome, retry_at, run_ended from pgflow.fail_tasks(array[?]::uuid[], array['a'], array[0], array[1], array['x'], array[?], array[7])",
                            run,
                            flow.equals("g")))
                    .isEqualTo("failed - failed");
        }
    }

    @Test
    void refusesANegativeTimeUntilTheNextAttempt(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        db.claimOne("f");

        assertThat(db.refusal(
                        "select * from pgflow.fail_tasks(array[?]::uuid[], array['a'], array[0], array[1], array['x'], null, array[-1])",
                        run))
                .isEqualTo(new SqlSession.Refusal("22023", "retry_after must not be negative, got: {-1}"));
        assertThat(db.tasks(run)).containsExactly("a[0] started 1 - -");
    }

    @Test
    void changesNothingForALateClaim(Flows db) {
        db.define("f", "base_delay => 0", "a");
        var run = db.start("f", "1");
        var first = db.claimOne("f");
        db.failTasks(first.with("one"));

        assertThat(db.failTasks(first.with("again"))).as("queued").containsExactly("1 late - f");
        var second = db.claimOne("f");
        assertThat(db.failTasks(first.with("again"))).as("claimed again").containsExactly("1 late - f");
        assertThat(db.tasks(run)).containsExactly("a[0] started 2 - one");
        assertThat(db.hiddenFor("f", 1)).isGreaterThan(50);

        assertThat(db.failTasks(second.with("two").ofClaim(null)))
                .as("whichever is current")
                .containsExactly("1 retrying - f");
    }

    @Test
    void countsATaskThatIsReportedTwiceOnce(Flows db) {
        db.define("f", "max_attempts => 2", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");

        assertThat(db.failTasks(task.with("one"), task.with("two"))).containsExactly("1 retrying - f", "2 late - f");
        assertThat(db.tasks(run)).containsExactly("a[0] queued 1 - one");
    }

    /** The reports of one task once got mixed up: one changed the task, and the other said what follows, so that nothing did. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void goesByTheFirstReportOfATask(boolean permanentFirst, Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        var retry = task.with("retry");
        var end = task.with("end").permanently();

        assertThat(permanentFirst ? db.failTasks(end, retry, retry) : db.failTasks(retry, end, end))
                .containsExactly(
                        permanentFirst ? "1 failed - f" : "1 retrying - f",
                        "2 late - f",
                        permanentFirst ? "3 late failed f" : "3 late - f");
        assertThat(db.run(run)).isEqualTo(permanentFirst ? "failed 1" : "started 1");
    }

    @Test
    void retriesManyRunsAndFlowsInOneCall(Flows db) {
        db.define("f", "base_delay => 50", "m map");
        db.define("g", "base_delay => 500", "a");
        db.start("f", "[1, 2, 3]");
        db.startMany("g", 2);
        var reports = new Report[5];
        var tasks = List.of(db.claim("f", 10), db.claim("g", 10)).stream()
                .flatMap(List::stream)
                .toList();
        for (int i = 0; i < 5; i++) reports[i] = tasks.get(i).with("error " + i);

        assertThat(db.failTasks(reports))
                .containsExactly(
                        "1 retrying - f", "2 retrying - f", "3 retrying - f", "4 retrying - f", "5 retrying - f");
        assertThat(db.lines("select error_message from pgflow.step_tasks order by 1"))
                .containsExactly("error 0", "error 1", "error 2", "error 3", "error 4");
        for (long id : new long[] {1, 2, 3}) assertThat(db.hiddenFor("f", id)).isBetween(95L, 100L);
        for (long id : new long[] {1, 2}) assertThat(db.hiddenFor("g", id)).isBetween(995L, 1000L);
    }

    @Test
    void failsARunOnceForSeveralReports(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b | max_attempts => 9
                c
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);

        // c fails the run first: whatever else is reported of that run has failed with it
        assertThat(db.failTasks(
                        Flows.named(tasks, "b[0]").with("b"),
                        Flows.named(tasks, "c[0]").with("c"),
                        Flows.named(tasks, "a[0]").with("a")))
                .containsExactly("1 failed - f", "2 failed - f", "3 failed failed f");
        assertThat(db.tasks(run)).containsExactly("a[0] failed 1 - a", "b[0] failed 1 - b", "c[0] failed 1 - c");
        assertThat(db.steps(run, "status, error_message")).containsExactly("a started -", "b started -", "c failed c");
        assertThat(db.run(run)).isEqualTo("failed 3");
        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    void failsARunBeforeItSkipsAStepOfIt(Flows db) {
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => 'skip'
                b
                c: a
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);

        assertThat(db.failTasks(
                        Flows.named(tasks, "a[0]").with("a"),
                        Flows.named(tasks, "b[0]").with("b")))
                .containsExactly("1 failed - f", "2 failed failed f");
        assertThat(db.steps(run, "status, error_message")).containsExactly("a started -", "b failed b", "c created -");
        assertThat(db.run(run)).isEqualTo("failed 3");
    }

    @Test
    void skipsAMapOnceForSeveralReports(Flows db) {
        db.define("f", "max_attempts => 1", """
                m map | when_exhausted => 'skip'
                z: m
                """);
        var run = db.start("f", "[1, 2, 3, 4]");
        var tasks = db.claim("f", 3);

        assertThat(db.failTasks(
                        tasks.get(2).with("two"),
                        tasks.get(0).with("zero"),
                        tasks.get(1).with("one")))
                .as("the first skips the step, the others come too late")
                .containsExactly("1 failed - t", "2 late - t", "3 late - t");
        assertThat(db.tasks(run))
                .containsExactly(
                        "m[0] started 1 - -",
                        "m[1] started 1 - -",
                        "m[2] failed 1 - two",
                        "m[3] queued 0 - -",
                        "z[0] queued 0 - -");
        assertThat(db.step(run, "m", "status, error_message")).isEqualTo("skipped two");
        assertThat(db.run(run)).isEqualTo("started 1");
        assertThat(db.queue("f")).containsExactly("z[0]");
    }

    @Test
    void retriesSomeTasksOfAMapAndSkipsTheStepForOthersInOneCall(Flows db) {
        db.define("f", "max_attempts => 2, base_delay => 0", """
                m map | when_exhausted => 'skip'
                """);
        var run = db.start("f", "[1, 2]");
        db.failTasks(db.claim("f", 1).getFirst().with("first"));
        var tasks = db.claim("f", 10);

        assertThat(db.failTasks(
                        Flows.named(tasks, "m[1]").with("would be retried"),
                        Flows.named(tasks, "m[0]").with("last")))
                .containsExactly("1 late - f", "2 failed completed f");
        assertThat(db.run(run)).isEqualTo("completed 0");
        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    void skipsSeveralStepsOfARunInTheirOwnWays(Flows db) {
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => 'skip'
                b | when_exhausted => 'skip-cascade'
                c: a
                d: b
                e: a, b
                """);
        var run = db.start("f", "1");

        assertThat(db.failTasks(Flows.reports(db.claim("f", 10), "no")))
                .containsExactly("1 failed - t", "2 failed - t");
        assertThat(db.steps(run, "status, remaining_deps, skip_reason"))
                .containsExactly(
                        "a skipped 0 handler_failed",
                        "b skipped 0 handler_failed",
                        "c started 0 -",
                        "d skipped 1 dependency_skipped",
                        "e skipped 1 dependency_skipped");
        assertThat(db.run(run)).isEqualTo("started 1");
    }

    @Test
    void completesTheRunsWhoseLastStepsAreSkipped(Flows db) {
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => 'skip'
                b | when_exhausted => 'skip'
                """);
        db.startMany("f", 2);

        assertThat(db.failTasks(Flows.reports(db.claim("f", 10), "no")))
                .filteredOn(line -> line.contains("completed"))
                .hasSize(2);
        assertThat(db.lines("select status, output from pgflow.runs")).containsExactly("completed -", "completed -");
    }

    @Test
    void recordsFailuresInRunsThatFailedBefore(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b | max_attempts => 9
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);
        db.failTasks(tasks.get(0).with("no"));

        assertThat(db.failTasks(tasks.get(1).with("late"))).containsExactly("1 failed - f");
        assertThat(db.tasks(run)).containsExactly("a[0] failed 1 - no", "b[0] failed 1 - late");
    }

    @Test
    void passesReportsOverThatNameNothing(Flows db) {
        db.define("f", "max_attempts => 1", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");

        assertThat(db.failTasks(
                        new Report(UUID.randomUUID(), "a", 0, 1, "x", null),
                        new Report(run, null, 0, 1, "x", null),
                        new Report(run, "a", null, 1, "x", null),
                        new Report(run, "a", 5, 1, "x", null),
                        task.with(null)))
                .containsExactly("1 late - f", "2 late - f", "3 late - f", "4 late - f", "5 failed failed f");
    }

    @Test
    void doesNothingForNoReports(Flows db) {
        assertThat(db.failTasks()).isEmpty();
        assertThat(db.lines("select * from pgflow.fail_tasks(null, null, null, null, null)"))
                .isEmpty();
    }

    @Test
    void cannotFailWhatIsCompletedMeanwhile(Flows db, Flows other) {
        db.define("f", "max_attempts => 1", """
                a
                b
                """);
        var run = db.start("f", "1");
        var task = db.claim("f", "a[0]");
        other.begin();
        other.complete(task, "1");

        var late = Background.start(db, session -> session.failTasks(task.with("too late")));
        late.awaitLock(other);
        other.commit();

        assertThat(late.result()).containsExactly("1 late - f");
        assertThat(db.run(run)).isEqualTo("started 1");
        assertThat(db.archive("f")).containsExactly("a[0]");
    }
}
