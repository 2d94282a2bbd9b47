package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Flows.Task;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CoreDatabase.class)
class RequeueStalledTasksTest {
    private static final String REQUEUE = "select pgflow.requeue_stalled_tasks()";

    private static Task stall(Flows db, String flow) {
        var task = db.claimOne(flow);
        db.backdate(task, 1000);
        return task;
    }

    @Test
    void putsAStalledTaskBackAndCountsIt(Flows db) {
        db.define("f", "timeout => 5", "a");
        db.start("f", "1");
        var task = stall(db, "f");

        assertThat(db.number(REQUEUE)).isEqualTo(1);

        assertThat(
                        db.task(
                                task,
                                "status, attempts_count, started_at, last_worker_id, requeued_count, last_requeued_at is not null, permanently_stalled_at"))
                .isEqualTo("queued 1 - - 1 t -");
        assertThat(db.claimOne("f").attempt())
                .as("visible at once, and no attempt given back")
                .isEqualTo(2);
        assertThat(db.number(REQUEUE)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"34, 0", "36, 1"})
    void waitsForTheTimeoutAndThirtySeconds(int seconds, int requeued, Flows db) {
        db.define("f", "timeout => 5", "a");
        db.start("f", "1");
        db.backdate(db.claimOne("f"), seconds);

        assertThat(db.number(REQUEUE)).isEqualTo(requeued);
    }

    @Test
    void goesByTheTimeoutOfTheStep(Flows db) {
        db.define("f", "timeout => 5", """
                long | timeout => 3600
                short
                """);
        db.start("f", "1");
        db.claim("f", 10).forEach(task -> db.backdate(task, 1000));

        assertThat(db.number(REQUEUE)).isEqualTo(1);
        assertThat(db.lines("select step_slug, status from pgflow.step_tasks order by 1"))
                .containsExactly("long started", "short queued");
    }

    @Test
    void leavesTasksOfStoppedWorkersToRecovery(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        db.claimOne("f");
        db.run("update pgflow.workers set stopped_at = now()");

        assertThat(db.number(REQUEUE)).isZero();
    }

    @Test
    void givesATaskUpAfterThreeTimesAndLeavesItStarted(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        for (int i = 0; i < 3; i++) {
            stall(db, "f");
            assertThat(db.number(REQUEUE)).isEqualTo(1);
        }
        var task = stall(db, "f");

        assertThat(db.number(REQUEUE)).isZero();
        assertThat(db.task(task, "status, requeued_count, permanently_stalled_at is not null"))
                .isEqualTo("started 3 t");
        assertThat(db.archive("f")).containsExactly("a[0]");
        assertThat(db.run(run)).isEqualTo("started 1");
        assertThat(db.number(REQUEUE)).as("it is not looked at again").isZero();

        db.complete(task, "\"late, but welcome\"");
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    @Test
    void putsBackTasksOfManyFlows(Flows db) {
        db.define("f", "m map");
        db.define("g", "a");
        db.start("f", "[1, 2, 3]");
        db.start("g", "1");
        db.claim("f", 10).forEach(task -> db.backdate(task, 1000));
        stall(db, "g");

        assertThat(db.number(REQUEUE)).isEqualTo(4);
        assertThat(db.claim("f", 10)).hasSize(3);
        assertThat(db.claim("g", 10)).hasSize(1);
    }

    @Test
    void leavesARunThatSomebodyReportsOn(Flows db, Flows other) {
        db.define("f", "m map");
        db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        tasks.forEach(task -> db.backdate(task, 1000));
        other.begin();
        other.complete(tasks.get(0), "1");

        db.run("set lock_timeout = '1ms'");
        assertThat(db.number(REQUEUE)).as("others of the run neither").isZero();
        db.run("set lock_timeout = '30s'");

        other.commit();
        assertThat(db.number(REQUEUE)).isEqualTo(1);
        assertThat(db.lines("select status from pgflow.step_tasks order by task_index"))
                .containsExactly("completed", "queued");
    }

    @Test
    void notifiesThoseWhoListenToTheQueue(Flows db, Flows listener) {
        db.define("f", "a");
        db.start("f", "1");
        stall(db, "f");
        listener.listen("pgmq.q_f.INSERT");

        db.run(REQUEUE);

        assertThat(listener.heardFrom(db)).containsExactly("pgmq.q_f.INSERT");
    }

    @Test
    void findsNothingWhereThereIsNothing(Flows db) {
        assertThat(db.number(REQUEUE)).isZero();
    }

    /** Nobody would ever start them again. pgflow itself puts them back all the same. */
    @Test
    void leavesTasksOfFailedRunsAndSkippedStepsAlone(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b
                """);
        db.define("g", "max_attempts => 1", "m map | when_exhausted => 'skip'");
        db.start("f", "1");
        db.start("g", "[1, 2]");
        var f = db.claim("f", 10);
        var g = db.claim("g", 10);
        db.fail(f.getFirst(), "no");
        db.fail(g.getFirst(), "no");
        db.backdate(f.getLast(), 1000);
        db.backdate(g.getLast(), 1000);

        assertThat(db.number(REQUEUE)).isZero();
        assertThat(db.lines("select step_slug, task_index from pgflow.step_tasks where status = 'started' order by 1"))
                .containsExactly("b 0", "m 1");
    }

    @Test
    void doesNotComeBetweenAFailureAndTheEndOfItsRun(Flows db, Flows other) {
        db.define("f", "max_attempts => 1", "m map");
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        db.backdate(Flows.named(tasks, "m[0]"), 1000);
        db.begin();
        assertThat(db.number(REQUEUE)).isEqualTo(1);

        var failing = Background.start(other, session -> session.failTasks(Flows.reports(tasks, "no")));
        failing.awaitLock(db);
        db.commit();

        assertThat(failing.result()).hasSize(2).anyMatch(report -> report.contains(" failed failed "));
        assertThat(db.run(run)).startsWith("failed");
        assertThat(db.queue("f")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void takesAReportThatComesWhileATaskIsGivenUp(boolean completed, Flows db, Flows other) {
        db.define("f", "max_attempts => 1", "a");
        var run = db.start("f", "1");
        var task = stall(db, "f");
        db.run("update pgflow.step_tasks set requeued_count = 3");
        db.begin();
        assertThat(db.number(REQUEUE)).isZero();
        assertThat(db.task(task, "status, permanently_stalled_at is not null")).isEqualTo("started t");

        var report =
                Background.start(other, session -> completed ? session.complete(task, "1") : session.fail(task, "no"));
        report.awaitLock(db);
        db.commit();

        report.result();
        assertThat(db.run(run)).isEqualTo(completed ? "completed 0" : "failed 1");
    }

    /** Whatever is more than 68 years fits into no integer any more. */
    @Test
    void bearsTheLongestTimeout(Flows db) {
        db.define("f", "timeout => 2147483647", "a");
        db.define("g", "timeout => 2147483647", "a");
        db.define("h", """
                a
                b: a | timeout => 2147483647
                """);
        db.start("f", "1");
        db.start("g", "1");
        db.start("h", "1");
        db.startTasks("g", Long.valueOf(db.number("select msg_id from pgmq.read('g', 0, 1)")));
        var task = db.claimOne("f");

        assertThat(db.handOver(db.claimOne("h").with("1"))).hasSize(1);
        assertThat(db.number(REQUEUE)).isZero();
        assertThat(db.lines("select * from pgflow.recover_tasks()")).isEmpty();
        db.show("f");
        assertThat(db.claim("f", 1)).as("put aside").isEmpty();
        assertThat(db.hiddenFor("f", 1)).isGreaterThan(2_000_000_000);
        db.complete(task, "1");
        assertThat(db.line("select status from pgflow.runs where flow_slug = 'f'"))
                .isEqualTo("completed");
    }
}
