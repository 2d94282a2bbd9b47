package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.SqlSession.Refusal;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class StartFlowsTest {

    /** For each input: whether its run is new, and the run's input. */
    private static List<String> start(Flows db, String flow, String[] inputs, @Nullable UUID[] ids) {
        return db.lines("select is_new, run_id from pgflow.start_flows(?, ?::jsonb[], ?)", flow, inputs, ids).stream()
                .map(line -> line.substring(0, 2)
                        + db.line("select input from pgflow.runs where run_id = ?::uuid", line.substring(2)))
                .toList();
    }

    private static String[] inputs(String... inputs) {
        return inputs;
    }

    @Test
    void startsARunForEachInputInTheirOrder(Flows db) {
        db.define("f", """
                a
                b: a
                """);

        var started = db.lines("select run_id, is_new from pgflow.start_flows('f', array['3', '1', '2']::jsonb[])");

        assertThat(started).hasSize(3).allMatch(line -> line.endsWith(" t"));
        assertThat(started.stream()
                        .map(line -> db.line(
                                "select input, status, remaining_steps from pgflow.runs where run_id = ?::uuid",
                                line.substring(0, 36))))
                .containsExactly("3 started 2", "1 started 2", "2 started 2");
        assertThat(Flows.said(db.claim("f", 10)))
                .as("first come, first served")
                .containsExactly("a[0] 3", "a[0] 1", "a[0] 2");
    }

    @Test
    void takesTheRunIdsItIsGivenAndMakesTheOthers(Flows db) {
        db.define("f", "a");
        var id = UUID.randomUUID();

        var started = db.lines("select run_id from pgflow.start_flows('f', array['1', '2', '3']::jsonb[], ?)", (Object)
                new UUID[] {null, id, null});

        assertThat(started).hasSize(3).doesNotHaveDuplicates();
        assertThat(started.get(1)).isEqualTo(id.toString());
        assertThat(db.line("select input from pgflow.runs where run_id = ?", id))
                .isEqualTo("2");
    }

    @Test
    void takesARunOfTheSameFlowForTheRunItself(Flows db) {
        db.define("f", "a");
        var known = db.start("f", "\"first\"");
        var unknown = UUID.randomUUID();

        assertThat(start(db, "f", inputs("1", "2"), new UUID[] {known, unknown}))
                .containsExactly("f \"first\"", "t 2");
        assertThat(start(db, "f", inputs("3", "4"), new UUID[] {known, unknown}))
                .containsExactly("f \"first\"", "f 2");
        assertThat(db.queue("f")).as("nothing is started twice").hasSize(2);
    }

    @Test
    void takesARunThatEndedForTheRunItself(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");
        db.drain("f", "2");

        assertThat(start(db, "f", inputs("9"), new UUID[] {run})).containsExactly("f 1");
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    @Test
    void startsARunThatIsNamedTwiceOnce(Flows db) {
        db.define("f", "a");
        var id = UUID.randomUUID();

        assertThat(start(db, "f", inputs("1", "2"), new UUID[] {id, id})).containsExactly("t 1", "f 1");
        assertThat(db.queue("f")).hasSize(1);
    }

    @Test
    void refusesTheRunOfAnotherFlow(Flows db) {
        db.define("f", "a");
        db.define("g", "a");
        var run = db.start("f", "1");

        assertThat(db.refusal(
                        "select pgflow.start_flows('g', array['1', '2']::jsonb[], ?)", (Object) new UUID[] {null, run}))
                .isEqualTo(new Refusal("23505", "Run " + run + " belongs to flow f, not to g"));
        assertThat(db.queue("g")).isEmpty();
    }

    @Test
    void refusesAnUnknownFlow(Flows db) {
        assertThat(db.refusal("select pgflow.start_flows('nobody', array['1']::jsonb[])"))
                .isEqualTo(new Refusal(
                        "23503",
                        "insert or update on table \"runs\" violates foreign key constraint \"runs_flow_slug_fkey\""));
    }

    @Test
    void refusesArraysOfDifferentLengths(Flows db) {
        db.define("f", "a");

        assertThat(db.refusal("select pgflow.start_flows('f', array['1', '2']::jsonb[], array[null]::uuid[])"))
                .isEqualTo(new Refusal("P0001", "run_ids length (1) must equal inputs length (2)"));
    }

    @Test
    void startsNothingForNoInputs(Flows db) {
        db.define("f", "a");

        assertThat(db.lines("select * from pgflow.start_flows('f', '{}')")).isEmpty();
        assertThat(db.lines("select * from pgflow.start_flows('f', null)")).isEmpty();
        assertThat(db.lines("select * from pgflow.start_flows('f', '{}', '{}')"))
                .isEmpty();
    }

    @Test
    void refusesANullAmongTheInputsAndStartsNone(Flows db) {
        db.define("f", "a");
        db.define("g", "m map");

        assertThat(db.refusal("select pgflow.start_flows('f', array['1', null]::jsonb[])")
                        .state())
                .isEqualTo("23502");
        assertThat(db.refusal("select pgflow.start_flows('g', array['[1]', null]::jsonb[])"))
                .isEqualTo(new Refusal("P0001", "Flow g has root map steps but input is NULL"));
        assertThat(db.refusal("select pgflow.start_flows('g', array['[1]', '\"x\"']::jsonb[])"))
                .isEqualTo(new Refusal("P0001", "Flow g has root map steps but input is not an array (got string)"));
        assertThat(db.lines("select run_id from pgflow.runs")).isEmpty();
    }

    @Test
    void givesEachRootMapItsOwnSize(Flows db) {
        db.define("f", """
                m map
                n map: m
                """);

        var runs = db.rows(
                row -> row.getObject(1, UUID.class),
                "select run_id from pgflow.start_flows('f', array['[1, 2]', '[]', '[{}]']::jsonb[])");

        assertThat(db.steps(runs.get(0))).containsExactly("m started 0 2 2", "n created 1 - -");
        assertThat(db.steps(runs.get(1))).containsExactly("m completed 0 0 0", "n completed 0 0 0");
        assertThat(db.run(runs.get(1)) + " " + db.output(runs.get(1))).isEqualTo("completed 0 {\"n\": []}");
        assertThat(db.steps(runs.get(2))).containsExactly("m started 0 1 1", "n created 1 - -");
        assertThat(Flows.said(db.claim("f", 10))).containsExactly("m[0] 1", "m[1] 2", "m[0] {}");
    }

    @Test
    void looksAtTheConditionsOfEachRun(Flows db) {
        db.define("f", """
                a | required_input_pattern => '{"go": true}', when_unmet => 'fail'
                b
                """);

        var runs = db.rows(
                row -> row.getObject(1, UUID.class),
                "select run_id from pgflow.start_flows('f', array['{\"go\": true}', '{}']::jsonb[])");

        assertThat(db.run(runs.get(0))).isEqualTo("started 2");
        assertThat(db.run(runs.get(1))).isEqualTo("failed 2");
        assertThat(db.queue("f")).containsExactly("a[0]", "b[0]");
    }

    @Test
    void startsEachRunOnceWhereSeveralCallersNameThem(Flows a, Flows b) {
        a.define("f", "a");
        for (int i = 0; i < 10; i++) {
            var ids = Stream.generate(UUID::randomUUID).limit(300).toList();
            var inputs = Collections.nCopies(300, "1").toArray(String[]::new);
            // the other way round: whoever waits must not deadlock
            var one = Background.start(a, session -> news(session, inputs, ids));
            var other = Background.start(b, session -> news(session, inputs, ids.reversed()));

            assertThat(one.result() + other.result()).isEqualTo(300);
        }
        assertThat(a.queue("f")).hasSize(3000);
    }

    private static long news(Flows db, String[] inputs, List<UUID> ids) {
        return db.number(
                "select count(*) filter (where is_new) from pgflow.start_flows('f', ?::jsonb[], ?)",
                inputs,
                ids.toArray(UUID[]::new));
    }
}
