package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.CoreDatabase.Tampering;
import io.pgflow.sql.Flows.Task;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CoreDatabase.class)
class CompleteTaskTest {

    @Test
    void returnsTheTaskAsItIsAtTheEnd(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        db.claimOne("f");

        assertThat(db.lines("""
                        select step_slug, task_index, status, attempts_count, output, error_message, completed_at = now(), failed_at, message_id
                        from pgflow.complete_task(run_id => ?, step_slug => 'a', task_index => 0, output => '{"ok": true}')""", run)).containsExactly("a 0 completed 1 {\"ok\": true} - t - 1");
    }

    @Test
    void completesTheStepTheRunAndArchivesTheMessage(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");

        db.complete(db.claimOne("f"), "[1]");

        assertThat(db.step(run, "a", "status, remaining_tasks, output, completed_at >= started_at, error_message"))
                .isEqualTo("completed 0 [1] t -");
        assertThat(
                        db.line(
                                "select status, remaining_steps, output, completed_at >= started_at, failed_at from pgflow.runs"))
                .isEqualTo("completed 0 {\"a\": [1]} t -");
        assertThat(db.queue("f")).isEmpty();
        assertThat(db.archive("f")).containsExactly("a[0]");
    }

    @Test
    void startsWhatWaitedForNothingElse(Flows db) {
        db.define("f", """
                a
                b
                after_a: a
                after_both: a, b
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);

        db.complete(Flows.named(tasks, "a[0]"), "1");

        assertThat(db.steps(run))
                .containsExactly(
                        "a completed 0 1 0", "b started 0 1 1", "after_a started 0 1 1", "after_both created 1 1 -");
        assertThat(db.run(run)).isEqualTo("started 3");
        assertThat(db.step(run, "after_a", "started_at >= created_at")).isEqualTo("t");

        db.complete(Flows.named(tasks, "b[0]"), "2");
        assertThat(db.step(run, "after_both", "status, remaining_deps, remaining_tasks"))
                .isEqualTo("started 0 1");
        assertThat(db.run(run)).isEqualTo("started 2");
    }

    @Test
    void startsStepsInTheOrderOfTheirSlugs(Flows db) {
        db.define("f", """
                a
                zeta: a
                last map: a
                beta: a
                """);
        db.start("f", "1");
        db.complete(db.claimOne("f"), "[1, 2]");

        assertThat(db.queue("f")).containsExactly("beta[0]", "last[0]", "last[1]", "zeta[0]");
    }

    @Test
    void startsWithTheDelayOfTheStep(Flows db) {
        db.define("f", """
                a
                b: a | start_delay => 500
                """);
        db.start("f", "1");
        db.complete(db.claimOne("f"), "1");

        assertThat(db.hiddenFor("f", 2)).isBetween(495L, 500L);
    }

    @Test
    void tellsAMapTheLengthOfItsArray(Flows db) {
        db.define("f", """
                a
                m map: a
                n map: m
                """);
        var run = db.start("f", "1");
        db.complete(db.claimOne("f"), "[10, null, [3]]");

        assertThat(db.steps(run)).containsExactly("a completed 0 1 0", "m started 0 3 3", "n created 1 - -");

        for (var task : db.claim("f", 10)) db.complete(task, task.input());
        assertThat(db.steps(run)).containsExactly("a completed 0 1 0", "m completed 0 3 0", "n started 0 3 3");
    }

    @Test
    void completesAMapWithItsLastTaskAndKeepsTheOrderOfItsElements(Flows db) {
        db.define("f", "m map");
        var run = db.start("f", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]");
        var tasks = db.claim("f", 20);

        for (int i : new int[] {11, 3, 10, 1, 0, 2, 9, 8, 4, 7, 5}) {
            db.complete(tasks.get(i), i == 4 ? null : String.valueOf(i * 10));
        }
        assertThat(db.step(run, "m", "status, remaining_tasks, output, completed_at"))
                .isEqualTo("started 1 - -");
        db.complete(tasks.get(6), "[]");

        assertThat(db.step(run, "m", "status, remaining_tasks, output"))
                .isEqualTo("completed 0 [0, 10, 20, 30, null, 50, [], 70, 80, 90, 100, 110]");
        assertThat(db.task(tasks.get(4), "output")).as("of the task itself").isEqualTo("-");
    }

    @Test
    void makesAnArrayOfTheOutputOfAMapWithOneTask(Flows db) {
        db.define("f", "m map");
        var run = db.start("f", "[1]");
        db.complete(db.claimOne("f"), "{}");

        assertThat(db.output(run)).isEqualTo("{\"m\": [{}]}");
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "null",
                "false",
                "0",
                "\"\"",
                "{}",
                "[]",
                "\"123\"",
                "9223372036854775807",
                "0.1000000000000000000001"
            })
    void keepsTheOutputOfASingleStepAsItIs(@Nullable String output, Flows db) {
        db.define("f", """
                a
                b: a
                """);
        var run = db.start("f", "1");
        db.complete(db.claimOne("f"), output);

        assertThat(db.step(run, "a", "status, output")).isEqualTo("completed " + (output == null ? "-" : output));
        assertThat(db.claimOne("f").input()).isEqualTo("{\"a\": " + output + "}");
    }

    @Test
    void hasTheOutputsOfAllLeavesInThatOfTheRun(Flows db) {
        db.define("f", """
                a
                b: a
                c: a
                d
                """);
        var run = db.start("f", "1");
        var roots = db.claim("f", 10);
        db.complete(Flows.named(roots, "a[0]"), "\"not a leaf\"");
        var leaves = db.claim("f", 10);
        db.complete(Flows.named(leaves, "b[0]"), null);
        db.complete(Flows.named(leaves, "c[0]"), "\"c\"");
        db.complete(Flows.named(roots, "d[0]"), "null");

        assertThat(db.output(run)).isEqualTo("{\"b\": null, \"c\": \"c\", \"d\": null}");
    }

    // what comes too late

    @Test
    void returnsNothingForATaskThatIsNot(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        db.claimOne("f");

        assertThat(db.lines("select * from pgflow.complete_task(?, 'a', 0, '1')", UUID.randomUUID()))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.complete_task(?, 'b', 0, '1')", run))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.complete_task(?, 'a', 1, '1')", run))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.complete_task(null, 'a', 0, '1')"))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.complete_task(?, null, null, null)", run))
                .isEmpty();
        assertThat(db.tasks(run)).containsExactly("a[0] started 1 - -");
    }

    @Test
    void changesNothingForATaskThatIsQueued(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");

        assertThat(db.line("select status, output from pgflow.complete_task(?, 'a', 0, '1')", run))
                .isEqualTo("queued -");
        assertThat(db.queue("f")).as("its message stays").containsExactly("a[0]");
        assertThat(db.run(run)).isEqualTo("started 1");
    }

    @Test
    void keepsTheFirstOutputOfATaskThatIsCompletedAgain(Flows db) {
        db.define("f", """
                m map
                z: m
                """);
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        db.complete(tasks.get(0), "1");

        assertThat(db.complete(tasks.get(0), "2")).isEqualTo("m[0] completed 1 1 -");
        assertThat(db.step(run, "m", "status, remaining_tasks")).isEqualTo("started 1");

        db.complete(tasks.get(1), "3");
        assertThat(db.complete(tasks.get(1), "4")).as("once the step has ended").isEqualTo("m[1] completed 1 3 -");
        assertThat(db.step(run, "m", "output")).isEqualTo("[1, 3]");
        assertThat(db.step(run, "z", "remaining_deps, status")).isEqualTo("0 started");
    }

    @Test
    @Tampering
    void archivesTheMessageWhereTheStepHasEnded(Flows db) {
        db.define("f", """
                m map | when_exhausted => 'skip', max_attempts => 1
                z
                """);
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        db.fail(Flows.named(tasks, "m[0]"), "no");
        // a message that the skip could not see
        db.run(
                "insert into pgmq.q_f (msg_id, vt, message) overriding system value select msg_id, vt, message from pgmq.a_f where msg_id = 2");
        db.run("delete from pgmq.a_f where msg_id = 2");

        assertThat(db.complete(Flows.named(tasks, "m[1]"), "5")).isEqualTo("m[1] started 1 - -");

        assertThat(db.queue("f")).containsExactly("z[0]");
        assertThat(db.run(run)).isEqualTo("started 1");
    }

    @Test
    void changesNothingInAFailedRun(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b
                c: b
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);
        db.fail(Flows.named(tasks, "a[0]"), "no");

        assertThat(db.complete(Flows.named(tasks, "b[0]"), "1")).isEqualTo("b[0] started 1 - -");
        assertThat(db.steps(run)).containsExactly("a failed 0 1 1", "b started 0 1 1", "c created 1 1 -");
        assertThat(db.run(run)).isEqualTo("failed 3");
    }

    @Test
    void acceptsATaskThatWasGivenUpAsStalled(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        db.run("update pgflow.step_tasks set permanently_stalled_at = now()");
        db.run("select pgmq.archive('f', 1)");

        assertThat(db.complete(task, "1")).isEqualTo("a[0] completed 1 1 -");
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    @Test
    void ignoresATaskThatWasRequeuedAndNotRestarted(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        db.backdate(task, 1000);
        db.run("select pgflow.recover_tasks()");

        assertThat(db.complete(task, "1")).isEqualTo("a[0] queued 1 - -");
        assertThat(db.run(run)).isEqualTo("started 1");
    }

    @Test
    @Tampering
    void copesWithATaskWithoutAMessage(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        db.run("update pgflow.step_tasks set message_id = null");

        assertThat(db.complete(task, "1")).isEqualTo("a[0] completed 1 1 -");
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    // outputs that a map cannot fan out over

    @ParameterizedTest
    @NullSource
    @CsvSource({"{}", "'\"x\"'", "1", "true", "null"})
    void failsTheRunWhereAMapWaitsForAnArrayAndGetsNone(@Nullable String output, Flows db) {
        db.define("f", "max_attempts => 5", """
                p | when_exhausted => 'skip'
                other
                m map: p
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);
        var type = output == null ? "null" : db.line("select jsonb_typeof(?::jsonb)", output);

        assertThat(db.complete(Flows.named(tasks, "p[0]"), output))
                .isEqualTo("p[0] failed 1 %s [TYPE_VIOLATION] Produced %s instead of array"
                        .formatted(output == null ? "-" : output, type));

        assertThat(db.step(run, "p", "status, remaining_tasks, failed_at >= started_at, output, error_message"))
                .isEqualTo("failed 1 t - [TYPE_VIOLATION] Map step m expects array input but dependency p produced "
                        + type);
        assertThat(db.step(run, "m", "status, initial_tasks, remaining_deps")).isEqualTo("created - 1");
        assertThat(db.step(run, "other", "status, remaining_tasks")).isEqualTo("started 1");
        assertThat(
                        db.line(
                                "select status, remaining_steps, output, failed_at >= started_at, completed_at from pgflow.runs"))
                .isEqualTo("failed 3 - t -");
        assertThat(db.queue("f")).isEmpty();
        assertThat(db.archive("f")).hasSize(2);
    }

    @Test
    void acceptsAnyOutputWhereOnlySingleStepsFollow(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        var run = db.start("f", "1");
        db.complete(db.claimOne("f"), "{}");

        assertThat(db.run(run)).isEqualTo("started 1");
    }

    @Test
    void acceptsAnyOutputOfAMapsTask(Flows db) {
        db.define("f", """
                m map
                n map: m
                """);
        var run = db.start("f", "[1]");
        db.complete(db.claimOne("f"), "{\"no\": \"array\"}");

        assertThat(db.steps(run)).containsExactly("m completed 0 1 0", "n started 0 1 1");
    }

    @Test
    void looksAtTheTypeOnlyWhereTheTaskIsStarted(Flows db) {
        db.define("f", """
                p
                m map: p
                """);
        var run = db.start("f", "1");

        assertThat(db.line("select status, output from pgflow.complete_task(?, 'p', 0, '{}')", run))
                .isEqualTo("queued -");
        assertThat(db.lines("select * from pgflow.complete_task(?, 'p', 7, '{}')", run))
                .isEmpty();
        assertThat(db.run(run)).isEqualTo("started 2");

        db.complete(db.claimOne("f"), "[]");
        assertThat(db.line("select status, output from pgflow.complete_task(?, 'p', 0, '{}')", run))
                .isEqualTo("completed []");
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    @Test
    void namesOneOfSeveralMaps(Flows db) {
        db.define("f", """
                p
                m map: p
                n map: p
                """);
        var run = db.start("f", "1");
        db.complete(db.claimOne("f"), "5");

        assertThat(db.step(run, "p", "error_message"))
                .matches("\\[TYPE_VIOLATION] Map step [mn] expects array input but dependency p produced number");
        assertThat(db.run(run)).isEqualTo("failed 3");
    }

    /** Else the result is the new claim's without a look at it, and the map has no size and never starts. */
    @Test
    void looksAtTheOutputWhereTheTaskIsClaimedMeanwhile(Flows db, Flows other) {
        db.define("f", """
                p
                m map: p
                """);
        var run = db.start("f", "1");
        other.begin();
        other.poll("f");
        var status = Background.start(
                db, session -> session.line("select status from pgflow.complete_task(?, 'p', 0, '5')", run));
        status.awaitLock(other);
        other.commit();

        assertThat(status.result()).isEqualTo("failed");
        assertThat(db.run(run)).isEqualTo("failed 2");
    }

    // several at once

    @Test
    void looksAtTheRunAfterItHasWaitedForIt(Flows db, Flows other) {
        db.define("f", "max_attempts => 1", """
                a
                b
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);
        other.begin();
        other.fail(Flows.named(tasks, "a[0]"), "no");

        var late = Background.start(db, session -> session.complete(Flows.named(tasks, "b[0]"), "1"));
        late.awaitLock(other);
        other.commit();

        assertThat(late.result()).isEqualTo("b[0] started 1 - -");
        assertThat(db.steps(run)).containsExactly("a failed 0 1 1", "b started 0 1 1");
    }

    @Test
    void seesTheOtherHalfOfAFanInThatItWaitedFor(Flows db, Flows other) {
        db.define("f", """
                a
                b
                z: a, b
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);
        other.begin();
        other.complete(Flows.named(tasks, "a[0]"), "1");

        var second = Background.start(db, session -> session.complete(Flows.named(tasks, "b[0]"), "2"));
        second.awaitLock(other);
        other.commit();

        assertThat(second.result()).isEqualTo("b[0] completed 1 2 -");
        assertThat(db.step(run, "z", "status, remaining_deps")).isEqualTo("started 0");
        assertThat(Flows.said(db.claim("f", 10))).containsExactly("z[0] {\"a\": 1, \"b\": 2}");
    }

    @Test
    void seesTheOutputsOfAMapThatItWaitedFor(Flows db, Flows other) {
        db.define("f", "m map");
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        other.begin();
        other.complete(tasks.get(0), "\"first\"");

        var second = Background.start(db, session -> session.complete(tasks.get(1), "\"second\""));
        second.awaitLock(other);
        other.commit();
        second.result();

        assertThat(db.output(run)).isEqualTo("{\"m\": [\"first\", \"second\"]}");
    }

    @Test
    void completesTheTasksOfOtherRunsMeanwhile(Flows db, Flows other) {
        db.define("f", "a");
        db.startMany("f", 2);
        var tasks = db.claim("f", 10);
        other.begin();
        other.complete(tasks.get(0), "1");

        db.run("set lock_timeout = '1ms'");
        Task task = tasks.get(1);
        assertThat(db.complete(task, "2")).isEqualTo("a[0] completed 1 2 -");
        db.run("set lock_timeout = '30s'");
        other.commit();
    }
}
