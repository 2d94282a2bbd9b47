package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** All functions work in the caller's transaction: what happens has its time, what comes later is counted from the clock. */
@ExtendWith(CoreDatabase.class)
class TransactionsTest {

    /** The clock goes on within a transaction; a start taken from it would come after the end, which the tables refuse. */
    @Test
    void haveOneTimeForAllThatHappensInThem(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b: a | when_exhausted => 'skip'
                m map: b
                gate: a | required_input_pattern => '{"a": 2}'
                last: m
                """);
        db.begin();
        var run = db.start("f", "1");
        db.complete(db.poll("f").getFirst(), "1");
        db.fail(db.poll("f").getFirst(), "no");
        db.complete(db.poll("f").getFirst(), "1");

        assertThat(db.run(run)).isEqualTo("completed 0");
        assertThat(db.lines("select distinct t from pgflow.runs, unnest(array[started_at, completed_at]) t"))
                .containsExactly(db.line("select now()"));
        assertThat(
                        db.lines(
                                "select distinct t from pgflow.step_states, unnest(array[created_at, started_at, completed_at, skipped_at]) t where t is not null"))
                .containsExactly(db.line("select now()"));
        assertThat(
                        db.lines(
                                "select distinct t from pgflow.step_tasks, unnest(array[queued_at, started_at, completed_at, failed_at]) t where t is not null"))
                .containsExactly(db.line("select now()"));
        db.commit();
    }

    /** Nothing is ready too early, and no lease is over before its time, since a transaction began long ago. */
    @Test
    void hideMessagesByTheClockHoweverOldTheyAre(Flows db) {
        db.define("f", "timeout => 100, base_delay => 50", """
                a
                b
                c | start_delay => 100
                """);
        db.begin();
        db.run("select now()");
        db.run("select pg_sleep(0.3)");

        db.start("f", "1");
        assertThat(notBefore(db, "c", 100)).as("start delay").isTrue();
        var first = db.line("select array_agg(msg_id) from pgmq.read('f', 5, 1)");
        db.run("select pgflow.start_tasks('f', ?::bigint[], ?)", first, Flows.WORKER);
        assertThat(notBefore(db, "a", 102)).as("started in two phases").isTrue();
        var task = db.claimOne("f");
        assertThat(notBefore(db, "b", 102)).as("claimed").isTrue();
        assertThat(db.fail(task, "no")).startsWith("b[0] queued");
        assertThat(notBefore(db, "b", 100)).as("to be tried again").isTrue();
        db.commit();
    }

    private static boolean notBefore(Flows db, String step, int seconds) {
        return db.holds(
                "q.vt > now() + make_interval(secs => ? + 0.2) from pgmq.q_f q where q.message ->> 'step_slug' = ?",
                seconds,
                step);
    }
}
