package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.CoreDatabase.Tampering;
import io.pgflow.sql.SqlSession.Refusal;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code _cascade_force_skip_steps}: internal, but operators and pgflow's own tests call it. It leaves ending the run to its callers. */
@ExtendWith(CoreDatabase.class)
class ForceSkipStepsTest {

    private static long skip(Flows db, UUID run, String step) {
        return db.number(
                "select pgflow._cascade_force_skip_steps(run_id => ?, step_slug => ?, skip_reason => 'condition_unmet')",
                run,
                step);
    }

    @Test
    @Tampering
    void skipsTheStepAndEverythingDownstream(Flows db) {
        db.define("f", """
                a
                b: a
                c map: b
                e
                d: c, e
                """);
        var run = db.start("f", "1");

        assertThat(skip(db, run, "a")).isEqualTo(4);

        assertThat(db.steps(run, "status, remaining_deps, remaining_tasks, skip_reason, skipped_at is not null"))
                .containsExactly(
                        "a skipped 0 - condition_unmet t",
                        "b skipped 1 - dependency_skipped t",
                        "c skipped 1 - dependency_skipped t",
                        "e started 0 1 - f",
                        "d skipped 2 - dependency_skipped t");
        assertThat(db.run(run)).isEqualTo("started 1");
        assertThat(db.queue("f")).containsExactly("e[0]");
        assertThat(db.archive("f")).containsExactly("a[0]");
        assertThat(db.tasks(run))
                .as("tasks keep their status")
                .containsExactly("a[0] queued 0 - -", "e[0] queued 0 - -");
    }

    @Test
    @Tampering
    void changesNothingTheSecondTime(Flows db) {
        db.define("f", """
                a
                b: a
                c
                """);
        var run = db.start("f", "1");
        skip(db, run, "a");
        db.run(
                "insert into pgmq.q_f (msg_id, vt, message) overriding system value select msg_id, vt, message from pgmq.a_f");
        db.run("delete from pgmq.a_f");

        assertThat(skip(db, run, "a")).isZero();
        assertThat(db.run(run)).isEqualTo("started 1");
        assertThat(db.queue("f")).as("messages of steps skipped earlier stay").containsExactly("a[0]", "c[0]");
    }

    @Test
    void leavesStepsThatHaveEnded(Flows db) {
        db.define("f", """
                a
                b: a
                c: b
                d: a
                """);
        var run = db.start("f", "1");
        db.complete(db.claimOne("f"), "1");
        db.complete(db.claim("f", "b[0]"), "2");

        assertThat(skip(db, run, "a")).isEqualTo(2);
        assertThat(db.steps(run, "status, skip_reason"))
                .containsExactly(
                        "a completed -",
                        "b completed -",
                        "c skipped dependency_skipped",
                        "d skipped dependency_skipped");
        db.run("select pgflow.maybe_complete_run(?)", run);
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    @Test
    @Tampering
    void doesNotEndTheRun(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        var run = db.start("f", "1");

        assertThat(skip(db, run, "a")).isEqualTo(2);
        assertThat(db.run(run)).isEqualTo("started 0");
        db.run("select pgflow.maybe_complete_run(?)", run);
        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 -");
    }

    @Test
    void refusesAnUnknownRunAndPassesAnUnknownStepOver(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var nobody = UUID.randomUUID();

        assertThat(db.refusal("select pgflow._cascade_force_skip_steps(?, 'a', 'condition_unmet')", nobody))
                .isEqualTo(new Refusal("P0001", "Run not found: " + nobody));
        assertThat(skip(db, run, "nobody")).isZero();
    }
}
