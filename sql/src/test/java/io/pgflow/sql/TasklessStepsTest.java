package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.SqlSession.Refusal;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Maps over empty arrays: they complete without ever being started, and whatever follows from that follows at once. */
@ExtendWith(CoreDatabase.class)
class TasklessStepsTest {

    private static String chain(int length) {
        return "m_00 map\n"
                + IntStream.range(1, length)
                        .mapToObj(i -> "m_%02d map: m_%02d%n".formatted(i, i - 1))
                        .collect(Collectors.joining());
    }

    @Test
    void completeWithAnEmptyArrayAndNoTask(Flows db) {
        db.define("f", "m map");

        var run = db.start("f", "[]");

        assertThat(
                        db.step(
                                run,
                                "m",
                                "status, initial_tasks, remaining_tasks, output, started_at = completed_at, started_at >= created_at"))
                .isEqualTo("completed 0 0 [] t t");
        assertThat(db.lines("select * from pgflow.step_tasks")).isEmpty();
        assertThat(db.queue("f")).isEmpty();
        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 {\"m\": []}");
    }

    @Test
    void makeTheMapsAfterThemEmptyTooAndSingleStepsReady(Flows db) {
        db.define("f", """
                m map
                n map: m
                o map: n
                one: n
                other
                join: o, other
                """);
        var run = db.start("f", "[]");

        assertThat(db.steps(run))
                .containsExactly(
                        "m completed 0 0 0",
                        "n completed 0 0 0",
                        "o completed 0 0 0",
                        "one started 0 1 1",
                        "other started 0 1 1",
                        "join created 1 1 -");
        assertThat(db.run(run)).isEqualTo("started 3");
        assertThat(Flows.said(db.claim("f", 10))).containsExactly("one[0] {\"n\": []}", "other[0] []");
    }

    @Test
    void followFromAStepThatReturnsAnEmptyArray(Flows db) {
        db.define("f", """
                a
                m map: a
                z: m
                """);
        var run = db.start("f", "1");
        db.complete(db.claimOne("f"), "[]");

        assertThat(db.steps(run)).containsExactly("a completed 0 1 0", "m completed 0 0 0", "z started 0 1 1");
        db.complete(db.claimOne("f"), "1");
        assertThat(db.output(run)).isEqualTo("{\"z\": 1}");
    }

    @Test
    void canEndTheRun(Flows db) {
        db.define("f", """
                a
                m map: a
                """);
        var run = db.start("f", "1");
        db.complete(db.claimOne("f"), "[]");

        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 {\"m\": []}");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 30, 49})
    void completeOneAfterTheOtherInAChain(int length, Flows db) {
        db.define("f", chain(length));

        assertThat(db.run(db.start("f", "[]"))).isEqualTo("completed 0");
    }

    @ParameterizedTest
    @ValueSource(ints = {50, 51})
    void areRefusedInALongerChainWithNothingLeftBehind(int length, Flows db) {
        db.define("f", chain(length));

        assertThat(db.refusal("select pgflow.start_flow('f', '[]')"))
                .isEqualTo(new Refusal("P0001", "Cascade loop exceeded safety limit of 50 iterations"));
        assertThat(db.lines("select * from pgflow.runs")).isEmpty();
        assertThat(db.lines("select * from pgflow.step_states")).isEmpty();
    }

    @Test
    void areNoneInALongChainThatIsNotEmpty(Flows db) {
        db.define("f", chain(60));
        var run = db.start("f", "[1]");
        db.drain("f", "2");

        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 {\"m_59\": [2]}");
    }

    @Test
    void completeInTheRunsOfOneCallThatHaveThem(Flows db) {
        db.define("f", """
                a
                m map: a
                """);
        var runs = db.startMany("f", 3);
        var tasks = db.claim("f", 10);

        db.completeTasks(
                tasks.get(0).with("[]"), tasks.get(1).with("[1]"), tasks.get(2).with("[]"));

        assertThat(runs.stream().map(db::run)).containsExactly("completed 0", "started 1", "completed 0");
    }
}
