package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.CoreDatabase.Tampering;
import io.pgflow.sql.Flows.Report;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class ReleaseTasksTest {

    @Test
    void queuesTheTaskAgainWithoutChargingTheAttempt(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        var task = db.claimOne("f");

        assertThat(db.release(task.with(null))).isEqualTo(1);

        assertThat(db.task(
                        task,
                        "status, attempts_count, claim_no, started_at, last_worker_id, error_message, requeued_count"))
                .isEqualTo("queued 0 1 - - - 0");
        assertThat(db.claim("f", 10))
                .as("visible at once")
                .extracting(Flows.Task::attempt)
                .containsExactly(1);
    }

    @Test
    void canBeDoneAnyNumberOfTimes(Flows db) {
        db.define("f", "max_attempts => 1", "a");
        var run = db.start("f", "1");
        for (int i = 1; i <= 5; i++) {
            var task = db.claimOne("f");
            assertThat(task.claim()).isEqualTo(i);
            db.release(task.with(null));
        }

        db.complete(db.claimOne("f"), "1");
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    @Test
    void leavesLateClaimsAlone(Flows db) {
        db.define("f", "base_delay => 0", "a");
        db.start("f", "1");
        var first = db.claimOne("f");
        db.release(first.with(null));

        assertThat(db.release(first.with(null))).as("queued").isZero();
        var second = db.claimOne("f");
        assertThat(db.release(first.with(null))).as("claimed by another").isZero();
        assertThat(db.release(second.with(null).ofClaim(null)))
                .as("of no claim")
                .isZero();
        db.complete(second, "1");
        assertThat(db.release(second.with(null))).as("completed").isZero();
        assertThat(db.task(second, "status, attempts_count")).isEqualTo("completed 1");
    }

    @Test
    void releasesManyAtOnceAndCountsThem(Flows db) {
        db.define("f", "m map");
        db.define("g", "a");
        db.start("f", "[1, 2, 3]");
        db.start("g", "1");
        var f = db.claim("f", 10);
        var g = db.claimOne("g");

        assertThat(db.release(
                        f.get(2).with(null),
                        f.get(0).with(null),
                        f.get(0).with(null),
                        g.with(null),
                        new Report(UUID.randomUUID(), "a", 0, 1, null, null),
                        new Report(g.run(), null, null, 1, null, null)))
                .isEqualTo(3);
        assertThat(Flows.names(db.claim("f", 10))).containsExactly("m[0]", "m[2]");
        assertThat(Flows.names(db.claim("g", 10))).containsExactly("a[0]");
    }

    @Test
    void doesNothingForNoTasks(Flows db) {
        assertThat(db.release()).isZero();
        assertThat(db.number("select pgflow.release_tasks(null, null, null, null)"))
                .isZero();
    }

    @Test
    void notifiesThoseWhoListenToTheQueue(Flows db, Flows listener) {
        db.define("MyFlow", "a");
        db.start("MyFlow", "1");
        db.run("select pgflow.enable_notifications('MyFlow', 0)");
        var task = db.claimOne("MyFlow");
        listener.listen("pgmq.q_MyFlow.INSERT");

        db.release(task.with(null));

        assertThat(listener.heardFrom(db)).containsExactly("pgmq.q_MyFlow.INSERT");
    }

    /** An operator may give a task all its attempts again while it runs; a worker that stops then hands back everything else with it. */
    @Test
    @Tampering
    void neverCountsAttemptsBelowZero(Flows db) {
        db.define("f", "m map");
        db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        db.run("update pgflow.step_tasks set attempts_count = 0 where task_index = 0");

        assertThat(db.release(Flows.reports(tasks, null))).isEqualTo(2);
        assertThat(db.lines("select status, attempts_count from pgflow.step_tasks"))
                .containsExactly("queued 0", "queued 0");
    }

    /** It would be queued without a message for ever. Started, as the contract leaves it, it can still be completed. */
    @Test
    void leavesATaskThatWasGivenUp(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        db.run("update pgflow.step_tasks set requeued_count = 3");
        db.backdate(task, 1000);
        db.run("select pgflow.requeue_stalled_tasks()");

        assertThat(db.release(task.with(null))).isZero();
        assertThat(db.task(task, "status, attempts_count, permanently_stalled_at is not null"))
                .isEqualTo("started 1 t");
        db.complete(task, "1");
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    @Test
    void changesNothingOnceTheRunHasFailed(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);
        db.fail(tasks.get(0), "no");

        db.release(tasks.get(1).with(null));

        assertThat(db.queue("f")).isEmpty();
        assertThat(db.claim("f", 10)).isEmpty();
        assertThat(db.run(run)).isEqualTo("failed 2");
    }
}
