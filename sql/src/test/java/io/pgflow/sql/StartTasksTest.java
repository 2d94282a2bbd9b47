package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.CoreDatabase.Tampering;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class StartTasksTest {

    @Test
    void startsTheTasksOfTheMessages(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "{\"x\": 1}");

        assertThat(db.lines(
                        "select * from pgflow.start_tasks(flow_slug => 'f', msg_ids => array[1]::bigint[], worker_id => ?)",
                        Flows.WORKER))
                .containsExactly("f %s a {} 1 0 {\"x\": 1}".formatted(run));
        assertThat(
                        db.lines(
                                "select status, attempts_count, claim_no, started_at >= queued_at, last_worker_id from pgflow.step_tasks"))
                .containsExactly("started 1 1 t " + Flows.WORKER);
    }

    @Test
    void givesEachKindOfStepItsInput(Flows db) {
        db.define("f", """
                root_map map
                root
                dependent_map map: root
                after_map: root_map
                after_both: root, dependent_map
                """);
        db.start("f", "[\"x\", null, {\"y\": 1}]");

        var roots = db.poll("f");
        assertThat(Flows.said(roots))
                .containsExactly(
                        "root[0] [\"x\", null, {\"y\": 1}]",
                        "root_map[0] \"x\"",
                        "root_map[1] null",
                        "root_map[2] {\"y\": 1}");
        assertThat(roots.getFirst().input()).isEqualTo("{}");
        assertThat(roots.get(2).input()).as("a JSON null, and not NULL").isEqualTo("null");
        assertThat(roots.subList(1, 4)).allMatch(task -> task.flowInput() == null);

        db.complete(Flows.named(roots, "root[0]"), "[null, false, [1]]");
        for (int i = 0; i < 3; i++) db.complete(Flows.named(roots, "root_map[" + i + "]"), String.valueOf(i));
        var second = db.poll("f");
        assertThat(Flows.said(second))
                .containsExactly(
                        "dependent_map[0] null",
                        "dependent_map[1] false",
                        "dependent_map[2] [1]",
                        "after_map[0] {\"root_map\": [0, 1, 2]}");
        assertThat(second).allMatch(task -> task.flowInput() == null);

        for (int i = 0; i < 3; i++) db.complete(Flows.named(second, "dependent_map[" + i + "]"), "\"d\"");
        assertThat(Flows.said(db.poll("f")))
                .containsExactly(
                        "after_both[0] {\"root\": [null, false, [1]], \"dependent_map\": [\"d\", \"d\", \"d\"]}");
    }

    @Test
    void leavesSkippedDependenciesOut(Flows db) {
        db.define("f", """
                a
                b | required_input_pattern => '{"b": true}'
                c: a, b
                d: b
                """);
        db.start("f", "{}");

        var tasks = db.poll("f");
        assertThat(Flows.said(tasks)).containsExactly("a[0] {}", "d[0] {}");
        assertThat(Flows.named(tasks, "d[0]").flowInput()).isNull();
        db.complete(Flows.named(tasks, "a[0]"), "1");
        assertThat(Flows.said(db.poll("f"))).containsExactly("c[0] {\"a\": 1}");
    }

    @Test
    void hasANullOutputOfADependencyAsJsonNull(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        db.start("f", "1");
        db.complete(db.poll("f").getFirst(), null);

        assertThat(Flows.said(db.poll("f"))).containsExactly("b[0] {\"a\": null}");
    }

    @Test
    void hidesEachMessageForTheTimeoutAndTwoSeconds(Flows db) {
        db.define("f", "timeout => 100", """
                a
                b | timeout => 1000
                """);
        db.start("f", "1");
        db.poll("f");

        assertThat(db.hiddenFor("f", 1)).isBetween(97L, 102L);
        assertThat(db.hiddenFor("f", 2)).isBetween(997L, 1002L);
    }

    @Test
    void takesTheTimeoutAsItIsNow(Flows db) {
        db.define("f", "a | timeout => 10");
        db.start("f", "1");
        db.run("update pgflow.steps set opt_timeout = 500");
        db.poll("f");

        assertThat(db.hiddenFor("f", 1)).isBetween(497L, 502L);
    }

    @Test
    void countsAnAttemptAndAClaimAtEachStart(Flows db) {
        db.define("f", "base_delay => 0", "a");
        db.start("f", "1");
        var task = db.poll("f").getFirst();
        db.fail(task, "no");
        db.poll("f");

        assertThat(db.task(task, "status, attempts_count, claim_no")).isEqualTo("started 2 2");
    }

    @Test
    void startsEachTaskOnce(Flows db) {
        db.define("f", "m map");
        db.start("f", "[1, 2]");

        assertThat(Flows.said(db.startTasks("f", 1L, 1L))).containsExactly("m[0] 1");
        assertThat(Flows.said(db.startTasks("f", 1L, 2L))).containsExactly("m[1] 2");
        assertThat(db.startTasks("f", 1L, 2L)).isEmpty();
        assertThat(db.lines("select attempts_count from pgflow.step_tasks")).containsExactly("1", "1");
    }

    /** Recovery looks at messages that were read only; a caller who knows ids from elsewhere has read nothing. */
    @Test
    void startsTasksOfMessagesThatNobodyReadSoThatTheyCanBeRecovered(Flows db) {
        db.define("f", "timeout => 10", "m map");
        db.start("f", "[1, 2]");
        db.startTasks("f", 1L).forEach(task -> db.backdate(task, 100));
        assertThat(db.lines("select read_ct from pgmq.q_f order by msg_id")).containsExactly("1", "0");

        assertThat(db.number("select pgflow.requeue_stalled_tasks()")).isEqualTo(1);
        assertThat(Flows.names(db.poll("f"))).containsExactly("m[0]", "m[1]");
        assertThat(db.lines("select read_ct from pgmq.q_f order by msg_id"))
                .as("no more than the reading itself counts")
                .containsExactly("2", "1");
    }

    @Test
    void ignoresMessagesItCannotUse(Flows db) {
        db.define("f", "a");
        db.start("f", "1");

        assertThat(db.startTasks("f", 77L, -1L, null, 1L)).hasSize(1);
        assertThat(db.startTasks("f")).isEmpty();
        assertThat(db.lines("select * from pgflow.start_tasks('f', null, ?)", Flows.WORKER))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.start_tasks('nobody', array[1]::bigint[], ?)", Flows.WORKER))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.start_tasks(null, array[1]::bigint[], ?)", Flows.WORKER))
                .isEmpty();
    }

    @Test
    void keepsToItsFlowWhereMessageIdsRepeat(Flows db) {
        db.define("f", "a");
        db.define("g", "b");
        db.start("f", "1");
        db.start("g", "2");

        assertThat(Flows.said(db.startTasks("g", 1L))).containsExactly("b[0] 2");
        assertThat(db.lines("select flow_slug, status from pgflow.step_tasks order by 1"))
                .containsExactly("f queued", "g started");
    }

    @Test
    void leavesTasksOfEndedRunsAndStepsAlone(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b
                """);
        db.define("g", "max_attempts => 1", """
                m map | when_exhausted => 'skip'
                z: m
                """);
        db.start("f", "1");
        db.start("g", "[1, 2]");
        db.fail(db.startTasks("f", 1L).getFirst(), "no");
        db.fail(db.startTasks("g", 1L).getFirst(), "no");

        assertThat(db.startTasks("f", 1L, 2L)).isEmpty();
        assertThat(db.startTasks("g", 1L, 2L)).isEmpty();
        assertThat(
                        db.lines(
                                "select step_slug, task_index, status, attempts_count from pgflow.step_tasks where attempts_count = 0 order by 1, 2"))
                .containsExactly("b 0 queued 0", "m 1 queued 0", "z 0 queued 0");
    }

    @Test
    void refusesAWorkerThatIsNotRegisteredOnceATaskMatches(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        var nobody = UUID.randomUUID();

        assertThat(db.lines("select * from pgflow.start_tasks('f', array[77]::bigint[], ?)", nobody))
                .isEmpty();
        var refusal = db.refusal("select * from pgflow.start_tasks('f', array[1]::bigint[], ?)", nobody);
        assertThat(refusal.state()).isEqualTo("23503");
        assertThat(refusal.message()).contains("\"step_tasks_last_worker_id_fkey\"");
        assertThat(db.lines("select status, attempts_count from pgflow.step_tasks"))
                .containsExactly("queued 0");
    }

    @Test
    void forgetsAWorkerWhoseRowIsDeleted(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        var task = db.poll("f").getFirst();

        db.run("delete from pgflow.workers");

        assertThat(db.task(task, "status, last_worker_id")).isEqualTo("started -");
    }

    @Test
    @Tampering
    void takesTheElementFromTheArrayWhereTheTaskHasNone(Flows db) {
        db.define("f", "m map");
        db.start("f", "[1, null]");
        db.run("update pgflow.step_tasks set input = null"); // as if another release had written them

        assertThat(Flows.said(db.poll("f"))).containsExactly("m[0] 1", "m[1] null");
    }

    @Test
    void startsNothingThatSomebodyElseHasLocked(Flows db, Flows other) {
        db.define("f", "m map");
        db.start("f", "[1, 2]");
        other.begin();
        assertThat(other.startTasks("f", 1L)).hasSize(1);

        db.run("set lock_timeout = '1ms'");
        assertThat(Flows.names(db.startTasks("f", 1L, 2L))).containsExactly("m[1]");
        db.run("set lock_timeout = '30s'");

        other.rollback();
        assertThat(Flows.names(db.startTasks("f", 1L, 2L))).containsExactly("m[0]");
    }

    @Test
    void givesEachTaskToOneOfTwoCallersAtOnce(Flows a, Flows b) {
        a.define("f", "m map");
        for (int i = 0; i < 20; i++) {
            a.start("f", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]");
            var messages = a.rows(row -> row.getLong(1), "select msg_id from pgmq.read('f', 60, 10)")
                    .toArray(Long[]::new);
            var reversed = new ArrayList<>(List.of(messages)).reversed().toArray(Long[]::new);

            var one = Background.start(a, session -> Flows.names(session.startTasks("f", messages)));
            var other = Background.start(b, session -> Flows.names(session.startTasks("f", reversed)));

            var all = new ArrayList<>(one.result());
            all.addAll(other.result());
            // a task that the other had locked may be left to the next read
            assertThat(all).doesNotHaveDuplicates();
            all.addAll(Flows.names(a.startTasks("f", messages)));
            assertThat(all).hasSize(10).doesNotHaveDuplicates();
        }
        assertThat(a.lines("select distinct attempts_count, claim_no from pgflow.step_tasks"))
                .isEqualTo(Collections.nCopies(1, "1 1"));
    }

    /** Whoever holds one archives it since its run has failed, and may wait for its task. */
    @Test
    void waitsForNoMessage(Flows db, Flows other) {
        db.define("f", "m map");
        db.start("f", "[1, 2]");
        db.run("select pgmq.read('f', 30, 10)");
        other.begin();
        other.run("select from pgmq.q_f where msg_id = 1 for update");

        db.run("set lock_timeout = '1ms'");
        assertThat(db.startTasks("f", 1L, 2L)).hasSize(2);
        db.run("set lock_timeout = '30s'");

        other.commit();
        assertThat(db.hiddenFor("f", 2)).isGreaterThan(50);
    }
}
