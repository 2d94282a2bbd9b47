package io.pgflow.sql;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.CoreDatabase.Tampering;
import io.pgflow.sql.Flows.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CoreDatabase.class)
class ClaimTasksTest {

    @Test
    void startsTheTasksOfVisibleMessages(Flows db) {
        db.define("f", "timeout => 7", "a");
        var run = db.start("f", "{\"x\": 1}");

        assertThat(db.claim("f", 10)).containsExactly(new Task(run, "a", 0, 1, "{}", "{\"x\": 1}", 1, 1, 7));
        assertThat(
                        db.lines(
                                "select status, attempts_count, claim_no, started_at >= queued_at, last_worker_id from pgflow.step_tasks"))
                .containsExactly("started 1 1 t " + Flows.WORKER);
        assertThat(db.claim("f", 10)).as("it is hidden now").isEmpty();
    }

    @Test
    void takesItsArgumentsByName(Flows db) {
        db.define("f", "a");
        db.start("f", "1");

        assertThat(db.lines("""
                        select step_slug, task_index, msg_id, attempt, claim_no, timeout, input, flow_input
                        from pgflow.claim_tasks(flow_slug => 'f', worker_id => ?, qty => 1)""", Flows.WORKER)).containsExactly("a 0 1 1 1 60 {} 1");
    }

    @Test
    void tellsForHowLongEachMessageWasVisible(Flows db) {
        db.define("f", """
                a
                b
                """);
        db.start("f", "1");
        db.run(
                "update pgmq.q_f set vt = clock_timestamp() - interval '90 seconds', enqueued_at = now() - interval '1 day' where msg_id = 2");

        assertThat(db.lines(
                        "select step_slug, waited / 60000 from pgflow.claim_tasks('f', ?, 10) order by 1",
                        Flows.WORKER))
                .as("in minutes")
                .containsExactly("a 0", "b 1");
    }

    @Test
    void givesEachKindOfStepItsInput(Flows db) {
        db.define("f", """
                root_map map
                root
                skipped | required_input_pattern => '{"never": 1}'
                dependent_map map: root
                map_of_map map: root_map
                join: root, root_map, skipped
                """);
        db.start("f", "[null, 0, \"\"]");

        var roots = db.claim("f", 10);
        assertThat(Flows.said(roots))
                .containsExactly("root[0] [null, 0, \"\"]", "root_map[0] null", "root_map[1] 0", "root_map[2] \"\"");
        assertThat(roots.get(1).input()).as("a JSON null, and not NULL").isEqualTo("null");
        assertThat(roots.getFirst().input()).isEqualTo("{}");
        assertThat(roots.stream().skip(1)).allMatch(task -> task.flowInput() == null);

        db.completeTasks(
                roots.get(0).with("[{\"k\": [1]}, null]"),
                roots.get(1).with(null),
                roots.get(2).with("false"),
                roots.get(3).with("[]"));
        var second = db.claim("f", 10);
        assertThat(Flows.said(second))
                .containsExactly(
                        "dependent_map[0] {\"k\": [1]}",
                        "dependent_map[1] null",
                        "join[0] {\"root\": [{\"k\": [1]}, null], \"root_map\": [null, false, []]}",
                        "map_of_map[0] null",
                        "map_of_map[1] false",
                        "map_of_map[2] []");
        assertThat(second).allMatch(task -> task.flowInput() == null);
    }

    @Test
    void claimsNoMoreThanAskedForInTheOrderTheyCame(Flows db) {
        db.define("f", "a");
        db.startMany("f", 5);

        assertThat(Flows.said(db.claim("f", 2))).containsExactly("a[0] 1", "a[0] 2");
        assertThat(Flows.said(db.claim("f", 2))).containsExactly("a[0] 3", "a[0] 4");
        assertThat(Flows.said(db.claim("f", 2))).containsExactly("a[0] 5");
    }

    @Test
    void claimsNothingForAQuantityOfZero(Flows db) {
        db.define("f", "a");
        db.start("f", "1");

        assertThat(db.claim("f", 0)).isEmpty();
        assertThat(db.claim("f", 1)).hasSize(1);
    }

    @Test
    void refusesANegativeQuantityAndAnUnknownFlow(Flows db) {
        db.define("f", "a");

        assertThat(db.refusal("select pgflow.claim_tasks('f', ?, -1)", Flows.WORKER)
                        .message())
                .startsWith("claim_tasks needs a flow, a worker and a qty of 0 or more, ");
        assertThat(db.refusal("select pgflow.claim_tasks('nobody', ?, 1)", Flows.WORKER)
                        .message())
                .isEqualTo("relation \"pgmq.q_nobody\" does not exist");
        assertThat(db.refusal("select pgflow.claim_tasks(?, ?, 1)", "f\"; drop table pgflow.runs", Flows.WORKER)
                        .state())
                .isIn("42P01", "P0001");
    }

    @Test
    void leavesWhatIsNotYetVisible(Flows db) {
        db.define("f", """
                a | start_delay => 3600
                b
                """);
        db.start("f", "1");

        assertThat(Flows.names(db.claim("f", 10))).containsExactly("b[0]");
        db.show("f");
        assertThat(Flows.names(db.claim("f", 10))).containsExactly("a[0]");
    }

    @Test
    void hidesEachMessageForTheTimeoutAndTwoSeconds(Flows db) {
        db.define("f", "timeout => 100", """
                a
                b | timeout => 1000
                """);
        db.start("f", "1");

        assertThat(db.claim("f", 10)).extracting(Task::timeout).containsExactly(100, 1000);
        assertThat(db.hiddenFor("f", 1)).isBetween(97L, 102L);
        assertThat(db.hiddenFor("f", 2)).isBetween(997L, 1002L);
        assertThat(db.lines("select read_ct from pgmq.q_f")).containsExactly("1", "1");
    }

    @Test
    void takesTheTimeoutAsItIsNow(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        db.run("update pgflow.flows set opt_timeout = 500");

        assertThat(db.claimOne("f").timeout()).isEqualTo(500);
    }

    @Test
    void countsAttemptsAndClaims(Flows db) {
        db.define("f", "base_delay => 0", "a");
        db.start("f", "1");

        var first = db.claimOne("f");
        db.fail(first, "no");
        var second = db.claimOne("f");
        db.release(second.with(null));
        var third = db.claimOne("f");

        assertThat(List.of(first, second, third)).extracting(Task::attempt).containsExactly(1, 2, 2);
        assertThat(List.of(first, second, third)).extracting(Task::claim).containsExactly(1, 2, 3);
    }

    @Test
    void leavesAMessageThatAnotherTransactionHolds(Flows db, Flows other) {
        db.define("f", "m map");
        db.start("f", "[1, 2, 3]");
        other.begin();
        assertThat(Flows.names(other.claim("f", 2))).containsExactly("m[0]", "m[1]");

        db.run("set lock_timeout = '1ms'");
        assertThat(Flows.names(db.claim("f", 10))).containsExactly("m[2]");
        db.run("set lock_timeout = '30s'");

        other.rollback();
        assertThat(db.claim("f", 10)).extracting(Task::attempt).containsExactly(1, 1);
    }

    @Test
    void leavesTheMessageOfATaskThatAnotherTransactionHolds(Flows db, Flows other) {
        db.define("f", "a");
        db.start("f", "1");
        other.begin();
        other.run("select from pgflow.step_tasks for update");

        db.run("set lock_timeout = '1ms'");
        assertThat(db.claim("f", 10)).isEmpty();
        db.run("set lock_timeout = '30s'");

        assertThat(db.queue("f")).containsExactly("a[0]");
        other.rollback();
        assertThat(db.claim("f", 10)).as("at once").hasSize(1);
    }

    @Test
    void givesEachTaskToOneOfManyCallers(Flows a, Flows b, Flows c) {
        a.define("f", "m map");
        var inputs = new ArrayList<String>();
        for (int i = 0; i < 5; i++) {
            a.start("f", "[" + IntStream.range(0, 200).mapToObj(String::valueOf).collect(joining(",")) + "]");
        }
        var callers = List.of(a, b, c).stream()
                .map(caller -> Background.start(caller, db -> {
                    var mine = new ArrayList<Task>();
                    for (var some = db.claim("f", 7); !some.isEmpty(); some = db.claim("f", 7)) mine.addAll(some);
                    return mine;
                }))
                .toList();
        var all = callers.stream().flatMap(caller -> caller.result().stream()).toList();
        all.forEach(task -> inputs.add(task.run() + task.name()));

        assertThat(inputs).hasSize(1000).doesNotHaveDuplicates();
        assertThat(all)
                .allMatch(task ->
                        task.claim() == 1 && String.valueOf(task.index()).equals(task.input()));
    }

    @Test
    void refusesAWorkerThatIsNotRegistered(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        var nobody = UUID.randomUUID();

        assertThat(db.refusal("select pgflow.claim_tasks('f', ?, 1)", nobody).message())
                .contains("\"step_tasks_last_worker_id_fkey\"");
        assertThat(db.claim("f", 1))
                .as("nothing was claimed")
                .extracting(Task::attempt)
                .containsExactly(1);
    }

    /** Bodies that no task can belong to, some of them near to one that does; {@code RUN} stands for a run's id. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "\"text\"",
                "17",
                "[]",
                "{}",
                "{\"run_id\": null, \"step_slug\": null, \"task_index\": null}",
                "{\"run_id\": \"no uuid\", \"step_slug\": \"a\", \"task_index\": 0}",
                "{\"run_id\": \"RUN\", \"step_slug\": \"a\"}",
                "{\"run_id\": \"RUN\", \"step_slug\": \"nobody\", \"task_index\": 0}",
                "{\"run_id\": \"RUN\", \"step_slug\": \"a\", \"task_index\": 1}",
                "{\"run_id\": \"RUN\", \"step_slug\": \"a\", \"task_index\": -1}",
                "{\"run_id\": \"RUN\", \"step_slug\": \"a\", \"task_index\": 0.5}",
                "{\"run_id\": \"RUN\", \"step_slug\": \"a\", \"task_index\": 99999999999}",
                "{\"run_id\": \"RUN\", \"step_slug\": \"a\", \"task_index\": \"x\"}",
                "{\"run_id\": \"RUN\", \"step_slug\": [\"a\"], \"task_index\": 0}",
                "{\"run_id\": \"00000000-0000-0000-0000-000000000000\", \"step_slug\": \"a\", \"task_index\": 0}",
                // a copy of the task's own message
                "{\"run_id\": \"RUN\", \"flow_slug\": \"f\", \"step_slug\": \"a\", \"task_index\": 0}",
            })
    void archivesAMessageThatBelongsToNoTask(String body, Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        db.run("select pgmq.send('f', ?::jsonb)", body.replace("RUN", run.toString()));

        assertThat(db.notices("select pgflow.claim_tasks('f', ?, 10)", Flows.WORKER))
                .extracting(Throwable::getMessage)
                .containsExactly("messages {2} of queue f belong to no task: archived");

        assertThat(db.lines("select msg_id from pgmq.a_f")).containsExactly("2");
        assertThat(db.tasks(run)).as("the real one was claimed beside it").containsExactly("a[0] started 1 - -");
    }

    @Test
    void archivesAMessageWithoutABody(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        db.run("insert into pgmq.q_f (vt, message) values (now(), null)");

        assertThat(Flows.names(db.claim("f", 10))).containsExactly("a[0]");
        assertThat(db.lines("select msg_id from pgmq.a_f")).containsExactly("2");
    }

    @Test
    @Tampering
    void archivesMessagesOfWhatHasEnded(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b
                """);
        var run = db.start("f", "1");
        db.complete(db.claim("f", "a[0]"), "1");
        db.run(
                "insert into pgmq.q_f (msg_id, vt, message) overriding system value select msg_id, now(), message from pgmq.a_f");
        db.run("delete from pgmq.a_f");
        assertThat(db.claim("f", 10)).isEmpty();
        assertThat(db.archive("f")).as("of a completed task").containsExactly("a[0]");

        db.show("f");
        db.run("update pgflow.step_tasks set status = 'queued' where run_id = ? and step_slug = 'b'", run);
        db.run("update pgflow.runs set status = 'failed', failed_at = now()");
        assertThat(db.claim("f", 10)).isEmpty();
        assertThat(db.archive("f")).as("of a failed run").containsExactly("a[0]", "b[0]");
        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    @Tampering
    void archivesMessagesOfSkippedSteps(Flows db) {
        db.define("f", """
                a
                b
                """);
        db.start("f", "1");
        db.run("""
                update pgflow.step_states set status = 'skipped', skip_reason = 'handler_failed', skipped_at = now(), remaining_tasks = null
                where step_slug = 'a'""");

        assertThat(Flows.names(db.claim("f", 10))).containsExactly("b[0]");
        assertThat(db.archive("f")).containsExactly("a[0]");
    }

    @Test
    void hidesTheMessageOfATaskThatIsRunningUntilThatIsOverdue(Flows db) {
        db.define("f", "a | timeout => 100");
        db.start("f", "1");
        var task = db.claimOne("f");
        db.backdate(task, 40);
        db.show("f");

        assertThat(db.claim("f", 10)).isEmpty();

        assertThat(db.queue("f")).as("not lost").containsExactly("a[0]");
        assertThat(db.hiddenFor("f", 1)).as("100 + 30 s after its start").isBetween(86L, 91L);
        assertThat(db.task(task, "status, attempts_count")).isEqualTo("started 1");
    }

    @Test
    void looksAgainInAWhileAtTheMessageOfATaskThatIsOverdueAlready(Flows db) {
        db.define("f", "a | timeout => 1");
        db.start("f", "1");
        db.backdate(db.claimOne("f"), 3600);
        db.show("f");

        assertThat(db.claim("f", 10)).isEmpty();

        assertThat(db.hiddenFor("f", 1)).isBetween(4L, 5L);
    }

    @Test
    void findsWorkBehindMessagesThatItPutsAside(Flows db) {
        db.define("f", "a");
        for (int i = 0; i < 3; i++) db.run("select pgmq.send('f', '{}')");
        db.start("f", "1");

        assertThat(db.claim("f", 3)).isEmpty();
        assertThat(db.claim("f", 3)).hasSize(1);
    }

    @Test
    void servesFlowsWhoseSlugsHaveCapitals(Flows db) {
        db.define("MyFlow", "myStep");
        db.start("MyFlow", "1");

        assertThat(Flows.said(db.claim("MyFlow", 10))).containsExactly("myStep[0] 1");
    }

    @Test
    void keepsToItsFlow(Flows db) {
        db.define("f", "a");
        db.define("g", "b");
        db.start("f", "1");
        db.start("g", "2");

        assertThat(Flows.names(db.claim("g", 10))).containsExactly("b[0]");
        assertThat(Flows.names(db.claim("f", 10))).containsExactly("a[0]");
    }
}
