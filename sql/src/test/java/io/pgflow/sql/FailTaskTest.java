package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.CoreDatabase.Tampering;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CoreDatabase.class)
class FailTaskTest {

    @Test
    void queuesTheTaskAgainWhileAttemptsRemain(Flows db) {
        db.define("f", "max_attempts => 3, base_delay => 5", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");

        assertThat(db.lines("""
                        select status, attempts_count, error_message, started_at, failed_at, output, queued_at < now(), last_worker_id
                        from pgflow.fail_task(run_id => ?, step_slug => 'a', task_index => 0, error_message => 'oops')""", run)).containsExactly("queued 1 oops - - - t " + Flows.WORKER);
        assertThat(db.step(run, "a", "status, remaining_tasks, error_message")).isEqualTo("started 1 -");
        assertThat(db.run(run)).isEqualTo("started 1");
        assertThat(db.queue("f")).containsExactly("a[0]");
        assertThat(task.message()).isEqualTo(1);
    }

    @Test
    void hidesTheMessageTwiceAsLongAfterEachAttempt(Flows db) {
        db.define("f", "max_attempts => 9, base_delay => 50", "a");
        db.start("f", "1");

        for (int delay : new int[] {100, 200, 400}) {
            db.fail(db.claimOne("f"), "oops");
            assertThat(db.hiddenFor("f", 1)).isBetween(delay - 5L, (long) delay);
            db.show("f");
        }
    }

    @Test
    void prefersTheOptionsOfTheStep(Flows db) {
        db.define("f", "max_attempts => 1, base_delay => 1", "a | max_attempts => 2, base_delay => 100");
        var run = db.start("f", "1");

        db.fail(db.claimOne("f"), "first");
        assertThat(db.hiddenFor("f", 1)).isBetween(195L, 200L);
        db.show("f");
        db.fail(db.claimOne("f"), "second");
        assertThat(db.run(run)).isEqualTo("failed 1");
    }

    @Test
    void takesTheOptionsAsTheyAreNow(Flows db) {
        db.define("f", "max_attempts => 1", "a");
        var run = db.start("f", "1");
        db.run("update pgflow.flows set opt_max_attempts = 2, opt_base_delay = 500");

        assertThat(db.fail(db.claimOne("f"), "no")).isEqualTo("a[0] queued 1 - no");
        assertThat(db.hiddenFor("f", 1)).isBetween(995L, 1000L);
        assertThat(db.run(run)).isEqualTo("started 1");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void takesNoAttemptsForOne(int attempts, Flows db) {
        db.define("f", "max_attempts => " + attempts, "a");
        var run = db.start("f", "1");

        assertThat(db.fail(db.claimOne("f"), "no")).isEqualTo("a[0] failed 1 - no");
        assertThat(db.run(run)).isEqualTo("failed 1");
    }

    @Test
    void failsTheStepAndTheRunOnceAttemptsAreUsedUp(Flows db) {
        db.define("f", "max_attempts => 2, base_delay => 0", """
                a
                sibling
                after: a
                """);
        var run = db.start("f", "1");
        var first = db.claim("f", 10);
        db.fail(Flows.named(first, "a[0]"), "one");
        db.fail(db.claim("f", "a[0]"), "two");

        assertThat(db.tasks(run)).containsExactly("a[0] failed 2 - two", "sibling[0] started 1 - -");
        assertThat(db.line("select failed_at >= started_at, completed_at from pgflow.step_tasks where step_slug = 'a'"))
                .isEqualTo("t -");
        assertThat(db.steps(run, "status, remaining_tasks, error_message, failed_at >= started_at"))
                .containsExactly("a failed 1 two t", "sibling started 1 - -", "after created - - -");
        assertThat(
                        db.line(
                                "select status, remaining_steps, failed_at >= started_at, completed_at, output from pgflow.runs"))
                .isEqualTo("failed 3 t - -");
        assertThat(db.queue("f")).isEmpty();
        assertThat(db.archive("f")).containsExactly("a[0]", "sibling[0]");
    }

    @Test
    void leavesOtherRunsAlone(Flows db) {
        db.define("f", "max_attempts => 1", "m map");
        var failing = db.start("f", "[1, 2]");
        var other = db.start("f", "[1, 2]");
        db.fail(db.claim("f", 1).getFirst(), "no");

        assertThat(db.run(failing)).isEqualTo("failed 1");
        assertThat(db.run(other)).isEqualTo("started 1");
        assertThat(db.queue("f")).hasSize(2);
    }

    @Test
    void storesANullError(Flows db) {
        db.define("f", "max_attempts => 1", "a");
        var run = db.start("f", "1");

        assertThat(db.fail(db.claimOne("f"), null)).isEqualTo("a[0] failed 1 - -");
        assertThat(db.run(run)).isEqualTo("failed 1");
    }

    // skipping

    @Test
    void skipsTheStepAndLetsDependentsGoOnWithoutIt(Flows db) {
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => 'skip'
                m map: a
                after_map: m
                b
                join: a, b
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);

        assertThat(db.fail(Flows.named(tasks, "a[0]"), "boom")).isEqualTo("a[0] failed 1 - boom");

        assertThat(db.steps(
                        run,
                        "status, remaining_deps, initial_tasks, remaining_tasks, skip_reason, error_message, output"))
                .containsExactly(
                        "a skipped 0 1 - handler_failed boom -",
                        "m completed 0 0 0 - - []",
                        "after_map started 0 1 1 - - -",
                        "b started 0 1 1 - - -",
                        "join created 1 1 - - - -");
        assertThat(db.step(run, "a", "skipped_at >= started_at, completed_at, failed_at"))
                .isEqualTo("t - -");
        assertThat(db.run(run)).isEqualTo("started 3");
        assertThat(db.queue("f")).containsExactly("b[0]", "after_map[0]");

        db.complete(Flows.named(tasks, "b[0]"), "1");
        assertThat(Flows.said(db.claim("f", 10))).containsExactly("after_map[0] {\"m\": []}", "join[0] {\"b\": 1}");
    }

    @Test
    void skipsEverythingDownstreamWithACascade(Flows db) {
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => 'skip-cascade'
                b
                c: a
                d: c, b
                e: b
                """);
        var run = db.start("f", "1");
        db.fail(db.claim("f", "a[0]"), "boom");

        assertThat(db.steps(run, "status, remaining_deps, skip_reason, error_message"))
                .containsExactly(
                        "a skipped 0 handler_failed boom",
                        "b started 0 - -",
                        "c skipped 1 dependency_skipped -",
                        "d skipped 2 dependency_skipped -",
                        "e created 1 - -");
        assertThat(db.run(run)).isEqualTo("started 2");
        assertThat(db.queue("f")).containsExactly("b[0]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"skip", "skip-cascade"})
    void completesTheRunWhereNothingElseIsLeft(String mode, Flows db) {
        db.define("f", "max_attempts => 1", "a | when_exhausted => '" + mode + "'");
        var run = db.start("f", "1");
        db.fail(db.claimOne("f"), "boom");

        assertThat(db.line("select status, remaining_steps, output, completed_at >= started_at from pgflow.runs"))
                .isEqualTo("completed 0 - t");
        assertThat(db.queue("f")).isEmpty();
        assertThat(db.step(run, "a", "status, skip_reason")).isEqualTo("skipped handler_failed");
    }

    @Test
    void leavesASkippedLeafOutOfTheOutputOfTheRun(Flows db) {
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => 'skip'
                b
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);
        db.fail(Flows.named(tasks, "a[0]"), "boom");
        db.complete(Flows.named(tasks, "b[0]"), "1");

        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 {\"b\": 1}");
    }

    @Test
    void skipsAMapAsAWholeAndArchivesItsOtherMessages(Flows db) {
        db.define("f", "max_attempts => 1", """
                m map | when_exhausted => 'skip'
                n map: m
                z: m
                """);
        var run = db.start("f", "[1, 2, 3]");
        var tasks = db.claim("f", 2);
        db.complete(tasks.get(1), "\"kept\"");
        db.fail(tasks.get(0), "bad");

        assertThat(db.steps(run, "status, initial_tasks, remaining_tasks, output"))
                .containsExactly("m skipped 3 - -", "n completed 0 0 []", "z started 1 1 -");
        assertThat(db.tasks(run))
                .containsExactly(
                        "m[0] failed 1 - bad", "m[1] completed 1 \"kept\" -", "m[2] queued 0 - -", "z[0] queued 0 - -");
        assertThat(db.queue("f")).containsExactly("z[0]");
        assertThat(db.archive("f")).containsExactly("m[0]", "m[1]", "m[2]");
    }

    @Test
    void looksAtConditionsThatASkipMadeReady(Flows db) {
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => 'skip'
                fallback: a | forbidden_input_pattern => '{"a": {}}'
                needs: a | required_input_pattern => '{"a": {}}', when_unmet => 'skip'
                """);
        var run = db.start("f", "1");
        db.fail(db.claimOne("f"), "boom");

        assertThat(db.steps(run, "status, skip_reason"))
                .containsExactly("a skipped handler_failed", "fallback started -", "needs skipped condition_unmet");
    }

    @Test
    void failsTheRunWhereTheSkipLeavesAConditionUnmet(Flows db) {
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => 'skip'
                b
                needs: a | required_input_pattern => '{"a": {}}', when_unmet => 'fail'
                """);
        var run = db.start("f", "1");

        assertThat(db.fail(db.claim("f", "a[0]"), "boom")).isEqualTo("a[0] failed 1 - boom");
        assertThat(db.steps(run, "status, error_message"))
                .containsExactly("a skipped boom", "b started -", "needs failed Condition not met");
        assertThat(db.run(run)).isEqualTo("failed 2");
        assertThat(db.queue("f")).isEmpty();
    }

    // what comes too late

    @Test
    void recordsTheFailureOfATaskInARunThatFailedAlready(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b | max_attempts => 9
                c
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 2);
        db.fail(tasks.get(0), "oops");

        assertThat(db.fail(tasks.get(1), "late")).isEqualTo("b[0] failed 1 - late");
        assertThat(db.line("select status, attempts_count from pgflow.fail_task(?, 'c', 0, 'never started')", run))
                .isEqualTo("queued 0");
        assertThat(db.steps(run, "status, error_message"))
                .containsExactly("a failed oops", "b started -", "c started -");
        assertThat(db.run(run)).isEqualTo("failed 3");
    }

    @Test
    @Tampering
    void archivesTheMessageInARunThatFailedAlready(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        db.run("update pgflow.runs set status = 'failed', failed_at = now() where run_id = ?", run);

        assertThat(db.fail(task, "late")).isEqualTo("a[0] failed 1 - late");
        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    void changesNothingOnceTheStepIsSkipped(Flows db) {
        db.define("f", "max_attempts => 1", """
                m map | when_exhausted => 'skip'
                z: m
                """);
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        db.fail(tasks.get(0), "bad");

        assertThat(db.fail(tasks.get(1), "too")).isEqualTo("m[1] started 1 - -");
        assertThat(db.run(run)).isEqualTo("started 1");
        assertThat(db.step(run, "z", "remaining_deps, status")).isEqualTo("0 started");
    }

    @Test
    void changesNothingForATaskThatIsNotStarted(Flows db) {
        db.define("f", "base_delay => 500", "m map");
        var run = db.start("f", "[1, 2]");
        var task = db.claim("f", 1).getFirst();
        db.fail(task, "first");
        var hidden = db.line("select vt from pgmq.q_f where msg_id = 1");

        assertThat(db.fail(task, "stray")).isEqualTo("m[0] queued 1 - first");
        assertThat(db.line("select vt from pgmq.q_f where msg_id = 1"))
                .as("not postponed")
                .isEqualTo(hidden);
        assertThat(db.line("select status, error_message from pgflow.fail_task(?, 'm', 1, 'never started')", run))
                .isEqualTo("queued -");

        db.complete(db.claim("f", 1).getFirst(), "1");
        assertThat(db.line("select status, error_message from pgflow.fail_task(?, 'm', 1, 'after its end')", run))
                .isEqualTo("completed -");
        assertThat(db.run(run)).isEqualTo("started 1");
    }

    @Test
    void returnsNothingForATaskThatIsNot(Flows db) {
        db.define("f", "max_attempts => 1", "a");
        var run = db.start("f", "1");
        db.claimOne("f");

        assertThat(db.lines("select * from pgflow.fail_task(?, 'a', 0, 'no')", UUID.randomUUID()))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.fail_task(?, 'b', 0, 'no')", run))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.fail_task(?, 'a', 1, 'no')", run))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.fail_task(null, null, null, null)"))
                .isEmpty();
        assertThat(db.run(run)).isEqualTo("started 1");
    }

    @Test
    @Tampering
    void copesWithATaskWithoutAMessage(Flows db) {
        db.define("f", "max_attempts => 2", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        db.run("update pgflow.step_tasks set message_id = null");

        assertThat(db.fail(task, "no")).isEqualTo("a[0] queued 1 - no");
        db.run("update pgflow.step_tasks set status = 'started', attempts_count = 2, started_at = queued_at");
        assertThat(db.fail(task, "no")).isEqualTo("a[0] failed 2 - no");
        assertThat(db.run(run)).isEqualTo("failed 1");
    }

    /** Its message is in the archive, so that nobody would ever read it again. */
    @Test
    void failsATaskForGoodThatWasGivenUp(Flows db) {
        db.define("f", "max_attempts => 9", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        db.run("update pgflow.step_tasks set requeued_count = 3");
        db.backdate(task, 1000);
        db.run("select pgflow.requeue_stalled_tasks()");

        assertThat(db.fail(task, "late")).isEqualTo("a[0] failed 1 - late");
        assertThat(db.run(run)).isEqualTo("failed 1");
        assertThat(db.step(run, "a", "status, error_message")).isEqualTo("failed late");
    }
}
