package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code prune_data_older_than}. */
@ExtendWith(CoreDatabase.class)
class PruneDataTest {

    private static void prune(Flows db, String interval) {
        db.run("select pgflow.prune_data_older_than(retention_interval => ?::interval)", interval);
    }

    /** Makes all that is there look that old. */
    private static void age(Flows db, String interval) {
        for (var columns : new String[] {
            "runs:started_at,completed_at,failed_at",
            "step_states:created_at,started_at,completed_at,failed_at,skipped_at",
            "step_tasks:queued_at,started_at,completed_at,failed_at"
        }) {
            var table = columns.split(":", 2);
            var set = new StringBuilder();
            for (var column : table[1].split(",", -1)) {
                set.append(set.isEmpty() ? "" : ", ")
                        .append("%s = %s - interval '%s'".formatted(column, column, interval));
            }
            db.run("update pgflow." + table[0] + " set " + set);
        }
        for (var flow : db.lines("select flow_slug from pgflow.flows")) {
            db.run("update pgmq.a_" + flow + " set archived_at = archived_at - ?::interval", interval);
        }
    }

    @Test
    void deletesRunsThatEndedLongAgoWithAllTheyHave(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b: a
                skipped | required_input_pattern => '{"never": 1}'
                """);
        db.start("f", "1");
        db.drain("f", "1");
        db.start("f", "2");
        db.fail(db.claimOne("f"), "no");
        age(db, "10 days");
        var young = db.start("f", "3");
        db.drain("f", "1");

        prune(db, "7 days");

        assertThat(db.lines("select run_id from pgflow.runs")).containsExactly(young.toString());
        assertThat(db.lines("select distinct run_id from pgflow.step_states")).containsExactly(young.toString());
        assertThat(db.lines("select distinct run_id from pgflow.step_tasks")).containsExactly(young.toString());
        assertThat(db.archive("f")).as("of the young run").containsExactly("a[0]", "b[0]");
        assertThat(db.number("select count(*) from pgflow.steps")).isEqualTo(3);
    }

    @Test
    void keepsRunsThatHaveNotEndedHoweverOld(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        var run = db.start("f", "1");
        db.complete(db.claimOne("f"), "1");
        age(db, "1000 days");

        prune(db, "7 days");

        assertThat(db.run(run)).isEqualTo("started 1");
        assertThat(db.queue("f")).containsExactly("b[0]");
        assertThat(db.archive("f")).as("but not its old messages").isEmpty();
    }

    @Test
    void keepsWhatIsNotOlderThanTheInterval(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        db.drain("f", "1");
        age(db, "6 days 23 hours");

        prune(db, "7 days");
        assertThat(db.number("select count(*) from pgflow.runs")).isEqualTo(1);
        prune(db, "6 days");
        assertThat(db.number("select count(*) from pgflow.runs")).isZero();
    }

    @Test
    void keepsWhatIsExactlyAsOldAsTheInterval(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        db.drain("f", "1");
        age(db, "10 days");
        var atTheCutOff = List.of(
                "update pgflow.runs set completed_at = now() - interval '7 days'",
                "update pgmq.a_f set archived_at = now() - interval '7 days'",
                "update pgflow.workers set last_heartbeat_at = now() - interval '7 days'");
        db.begin(); // one time for all of it
        atTheCutOff.forEach(sql -> db.run(sql));

        prune(db, "7 days");

        assertThat(db.number("select count(*) from pgflow.runs")).isEqualTo(1);
        assertThat(db.archive("f")).containsExactly("a[0]");
        assertThat(db.number("select count(*) from pgflow.workers")).isEqualTo(1);
        prune(db, "6 days 23:59:59.999");
        assertThat(db.number("select count(*) from pgflow.runs")).isZero();
        assertThat(db.archive("f")).isEmpty();
        assertThat(db.number("select count(*) from pgflow.workers")).isZero();
        db.commit();
    }

    @Test
    void deletesMessagesThatAreStillInTheQueue(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        db.drain("f", "1");
        db.run(
                "insert into pgmq.q_f (msg_id, vt, message) overriding system value select msg_id, vt, message from pgmq.a_f");
        db.run("update pgflow.step_tasks set message_id = message_id");
        age(db, "10 days");

        prune(db, "7 days");

        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    void deletesWorkersThatHaveBeenSilent(Flows db) {
        var silent = UUID.randomUUID();
        db.run("select pgflow.register_worker(?, 'f', 'tests')", silent);
        db.run("update pgflow.workers set last_heartbeat_at = now() - interval '8 days' where worker_id = ?", silent);

        prune(db, "7 days");

        assertThat(db.lines("select worker_id from pgflow.workers")).containsExactly(Flows.WORKER.toString());
    }

    @Test
    void copesWithAFlowWhoseQueueIsGone(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        db.drain("f", "1");
        age(db, "10 days");
        db.run("select pgmq.drop_queue('f')");

        prune(db, "7 days");

        assertThat(db.lines("select * from pgflow.runs")).isEmpty();
        db.run("select pgmq.create('f')");
    }

    @Test
    void canBeRedefined(Flows db) {
        db.begin();
        db.run("""
                create or replace function pgflow.prune_data_older_than(retention_interval interval) returns void
                language plpgsql as $$ begin end $$""");
        prune(db, "7 days");
        db.rollback();
    }

    @Test
    void keepsASilentWorkerThatHasATaskInHand(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        var task = db.claimOne("f");
        db.run("update pgflow.workers set last_heartbeat_at = now() - interval '8 days'");

        prune(db, "7 days");

        assertThat(db.task(task, "last_worker_id")).isEqualTo(Flows.WORKER.toString());
        db.complete(task, "1");
        prune(db, "7 days");
        assertThat(db.number("select count(*) from pgflow.workers")).isZero();
    }

    @Test
    void leavesARunThatSomebodyReportsOnToTheNextCall(Flows db, Flows other) {
        db.define("f", "max_attempts => 1", "m map");
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        db.fail(tasks.get(0), "no");
        age(db, "10 days");
        other.begin();
        other.fail(tasks.get(1), "no");

        db.run("set lock_timeout = '1ms'");
        prune(db, "7 days");
        db.run("set lock_timeout = '30s'");

        assertThat(db.run(run)).startsWith("failed");
        other.commit();
        prune(db, "7 days");
        assertThat(db.number("select count(*) from pgflow.runs")).isZero();
    }
}
