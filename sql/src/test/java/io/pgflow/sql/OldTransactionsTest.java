package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Times are those of the transaction, and a transaction may have begun before what it goes on with: one that waited for the run, or one
 * that a caller has kept open. A time is then that of what came before, so that nothing ends before it began.
 */
@ExtendWith(CoreDatabase.class)
class OldTransactionsTest {

    private static void beginOld(Flows db) {
        db.begin();
        db.run("select now()");
    }

    @Test
    void claimTasksThatWereQueuedSince(Flows old, Flows db) {
        beginOld(old);
        db.define("f", "a");
        db.start("f", "1");

        var task = old.claimOne("f");
        assertThat(old.task(task, "started_at = queued_at")).isEqualTo("t");
        old.commit();
    }

    @Test
    void startTheTasksOfMessagesThatWereQueuedSince(Flows old, Flows db) {
        beginOld(old);
        db.define("f", "a");
        db.start("f", "1");

        assertThat(old.poll("f")).hasSize(1);
        old.commit();
    }

    @Test
    void completeWhatWasStartedSince(Flows old, Flows db) {
        beginOld(old);
        db.define("f", """
                a
                m map: a
                z: m
                """);
        var run = db.start("f", "1");
        old.complete(db.claimOne("f"), "[]");
        old.commit();
        assertThat(db.steps(run)).containsExactly("a completed 0 1 0", "m completed 0 0 0", "z started 0 1 1");

        beginOld(old);
        old.complete(db.claimOne("f"), "1");
        old.commit();
        assertThat(db.line("select status, completed_at >= started_at from pgflow.runs"))
                .isEqualTo("completed t");
        assertThat(
                        db.lines(
                                "select distinct completed_at >= started_at and started_at >= created_at from pgflow.step_states"))
                .containsExactly("t");
    }

    @Test
    void handOverWhatFollowsWhatWasStartedSince(Flows old, Flows db) {
        beginOld(old);
        db.define("f", """
                a
                b: a
                """);
        db.start("f", "1");
        var next = old.next(Flows.WORKER, db.claimOne("f").with("1"));
        old.commit();

        assertThat(next).hasSize(1);
        assertThat(db.line("select started_at >= queued_at from pgflow.step_tasks where step_slug = 'b'"))
                .isEqualTo("t");
        assertThat(db.completeTasks(next.getFirst().with("2"))).containsExactly("1 completed completed f");
    }

    @ParameterizedTest
    @ValueSource(strings = {"fail", "skip", "skip-cascade"})
    void failWhatWasStartedSince(String mode, Flows old, Flows db) {
        beginOld(old);
        db.define("f", "max_attempts => 1", """
                a | when_exhausted => '%s'
                b: a
                """.formatted(mode));
        var run = db.start("f", "1");
        old.fail(db.claimOne("f"), "no");
        old.commit();

        assertThat(db.step(run, "a", "status")).isEqualTo(mode.equals("fail") ? "failed" : "skipped");
    }

    @Test
    void failTheTypeOfWhatWasStartedSince(Flows old, Flows db) {
        beginOld(old);
        db.define("f", """
                p
                m map: p
                """);
        var run = db.start("f", "1");
        old.complete(db.claimOne("f"), "1");
        old.commit();

        assertThat(db.run(run)).isEqualTo("failed 2");
    }

    @Test
    void resolveConditionsOfWhatWasStartedSince(Flows old, Flows db) {
        beginOld(old);
        db.define("f", """
                a
                b: a | required_input_pattern => '{"a": 2}'
                c: b | required_input_pattern => '{"b": 2}', when_unmet => 'fail'
                """);
        var run = db.start("f", "1");
        old.complete(db.claimOne("f"), "1");
        old.commit();

        assertThat(db.steps(run, "status")).containsExactly("a completed", "b skipped", "c failed");
    }

    /** As pgflow's own workers report: by a call that does not say which claim it is about. */
    @Test
    void completeATaskThatWasStartedAgainWhileTheyWaited(Flows waiting, Flows db) {
        db.define("f", "base_delay => 0", """
                a
                b
                """);
        db.start("f", "1");
        var tasks = db.claim("f", 10);
        var task = Flows.named(tasks, "a[0]");
        db.begin();
        db.complete(Flows.named(tasks, "b[0]"), "1");

        var late = Background.start(waiting, session -> session.complete(task, "2"));
        late.awaitLock(db);
        db.backdate(task, 1000);
        db.run("select pgflow.requeue_stalled_tasks()");
        assertThat(Flows.names(db.claim("f", 10))).containsExactly("a[0]");
        db.commit();

        assertThat(late.result()).isEqualTo("a[0] completed 2 2 -");
    }
}
