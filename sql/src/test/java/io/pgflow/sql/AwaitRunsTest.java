package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class AwaitRunsTest {

    private static List<String> await(Flows db, UUID... runs) {
        return db.lines("select status, awaited from pgflow.await_runs(?)", (Object) runs);
    }

    private static List<String> heard(Flows listener, Flows sender) {
        return listener.heardFrom(sender);
    }

    private static void complete(Flows db, UUID... runs) {
        var chosen = List.of(runs);
        db.completeTasks(Flows.reports(
                db.claim("f", 100).stream()
                        .filter(task -> chosen.contains(task.run()))
                        .toList(),
                "1"));
    }

    @Test
    void announcesTheEndOfARunThatIsAwaited(Flows db, Flows client) {
        db.define("f", "a");
        var run = db.start("f", "1");
        client.listen("pgflow.run_ended");

        assertThat(await(client, run)).containsExactly("started t");
        assertThat(heard(client, db)).isEmpty();
        complete(db, run);

        assertThat(heard(client, db)).containsExactly("pgflow.run_ended");
        assertThat(await(client, run)).containsExactly("completed t");
    }

    @Test
    void announcesNothingWhereNobodyWaits(Flows db, Flows client) {
        db.define("f", "max_attempts => 1", "a");
        db.startMany("f", 4);
        client.listen("pgflow.run_ended");

        var tasks = db.claim("f", 4);
        db.completeTasks(tasks.get(0).with("1"));
        db.complete(tasks.get(1), "1");
        db.failTasks(tasks.get(2).with("no"));
        db.fail(tasks.get(3), "no");

        assertThat(heard(client, db)).isEmpty();
    }

    @Test
    void announcesOnceHoweverManyEndAtOnce(Flows db, Flows client) {
        db.define("f", "a");
        var runs = db.startMany("f", 50).toArray(UUID[]::new);
        client.listen("pgflow.run_ended");
        assertThat(await(client, runs)).hasSize(50).containsOnly("started t");

        complete(db, runs);

        assertThat(heard(client, db)).containsExactly("pgflow.run_ended");
    }

    @Test
    void announcesNothingUntilTheLastStepIsDone(Flows db, Flows client) {
        db.define("f", """
                a
                b: a
                """);
        var run = db.start("f", "1");
        client.listen("pgflow.run_ended");
        await(client, run);

        complete(db, run);
        assertThat(heard(client, db)).isEmpty();
        complete(db, run);

        assertThat(heard(client, db)).containsExactly("pgflow.run_ended");
    }

    @Test
    void announcesEveryWayARunEnds(Flows db, Flows client) {
        db.define("f", "max_attempts => 1", "a");
        db.define("skips", "max_attempts => 1", "a | when_exhausted => 'skip'");
        db.define("strict", """
                p
                m map: p
                """);
        db.define("empty", """
                p
                m map: p
                """);
        db.define("unmet", """
                p
                q: p | required_input_pattern => '{"p": 1}', when_unmet => 'fail'
                """);
        client.listen("pgflow.run_ended");

        for (var flow : List.of("f", "skips", "strict", "empty", "unmet")) {
            var run = db.start(flow, "1");
            assertThat(await(client, run)).containsExactly("started t");
            var task = db.claimOne(flow);
            switch (flow) {
                case "f", "skips" -> db.failTasks(task.with("no"));
                case "strict" -> db.completeTasks(task.with("\"no array\""));
                case "empty" -> db.completeTasks(task.with("[]"));
                default -> db.completeTasks(task.with("2"));
            }
            assertThat(db.run(run)).as(flow).doesNotStartWith("started");
            assertThat(heard(client, db)).as(flow).containsExactly("pgflow.run_ended");
        }
    }

    @Test
    void tellsWhatHasEndedAlreadyAndMarksItNot(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        complete(db, run);

        assertThat(await(db, run)).containsExactly("completed f");
    }

    @Test
    void leavesOutRunsThatAreNotThereAndTellsOfEachOnce(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");

        assertThat(await(db, run, UUID.randomUUID(), run)).containsExactly("started t");
        assertThat(await(db)).isEmpty();
        assertThat(db.lines("select * from pgflow.await_runs(null)")).isEmpty();
        assertThat(db.lines("select * from pgflow.await_runs(array[null]::uuid[])"))
                .isEmpty();
    }

    @Test
    void waitsForNobodyAndLeavesUnmarkedWhatSomebodyIsChanging(Flows db, Flows client) {
        db.define("f", "a");
        var busy = db.start("f", "1");
        var free = db.start("f", "2");
        client.listen("pgflow.run_ended");
        var task = Flows.named(db.claim("f", 1), "a[0]");
        assertThat(task.run()).isEqualTo(busy);

        db.begin();
        db.completeTasks(task.with("1"));
        assertThat(client.lines(
                        "select run_id, status, awaited from pgflow.await_runs(?)", (Object) new UUID[] {busy, free}))
                .containsExactlyInAnyOrder(busy + " started f", free + " started t");
        db.commit();

        assertThat(heard(client, db)).isEmpty();
        assertThat(await(client, busy)).containsExactly("completed f");
    }

    @Test
    void isSeenByWhoeverWaitedForItsLock(Flows db, Flows client, Flows listener) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        listener.listen("pgflow.run_ended");

        client.begin();
        assertThat(await(client, run)).containsExactly("started t");
        var completing = Background.start(db, session -> session.completeTasks(task.with("1")));
        completing.awaitLock(client);
        client.commit();

        assertThat(completing.result()).containsExactly("1 completed completed f");
        assertThat(heard(listener, client)).containsExactly("pgflow.run_ended");
    }

    @Test
    void marksARunOnceAndLocksItNotAgain(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        await(db, run);
        var version = db.line("select ctid, xmin, xmax from pgflow.runs");

        assertThat(await(db, run)).containsExactly("started t");

        assertThat(db.line("select ctid, xmin, xmax from pgflow.runs")).isEqualTo(version);
    }
}
