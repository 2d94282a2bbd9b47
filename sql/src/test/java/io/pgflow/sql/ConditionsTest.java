package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the conditions of steps see, when they are met, and what follows where they are not. */
@ExtendWith(CoreDatabase.class)
class ConditionsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                // required, forbidden, input, whether the step starts
                "{\"plan\": \"pro\"}     |                    | {\"plan\": \"pro\", \"x\": 1} | true",
                "{\"plan\": \"pro\"}     |                    | {\"plan\": \"free\"}        | false",
                "{\"plan\": \"pro\"}     |                    | {}                          | false",
                "{}                      |                    | {\"x\": 1}                  | true",
                "{}                      |                    | 5                           | false",
                "{\"a\": {\"b\": 1}}     |                    | {\"a\": {\"b\": 1, \"c\": 2}} | true",
                "{\"a\": [1, 2]}         |                    | {\"a\": [2, 3, 1]}          | true",
                "{\"a\": null}           |                    | {\"a\": null}               | true",
                "{\"a\": null}           |                    | {}                          | false",
                "                        | {\"plan\": \"pro\"} | {\"plan\": \"free\"}        | true",
                "                        | {\"plan\": \"pro\"} | {\"plan\": \"pro\"}         | false",
                "                        | {}                 | {}                          | false",
                "                        | {}                 | [1]                         | true",
                "{\"a\": 1}              | {\"b\": 2}         | {\"a\": 1, \"b\": 3}        | true",
                "{\"a\": 1}              | {\"b\": 2}         | {\"a\": 1, \"b\": 2}        | false",
                "{\"a\": 1}              | {\"b\": 2}         | {\"b\": 3}                  | false",
                "                        |                    | null                        | true",
            })
    void areMetWhereTheInputContainsWhatIsRequiredAndNotWhatIsForbidden(
            @Nullable String required, @Nullable String forbidden, String input, boolean starts, Flows db) {
        db.run("select pgflow.create_flow('f')");
        db.run(
                "select pgflow.add_step('f', 'a', required_input_pattern => ?::jsonb, forbidden_input_pattern => ?::jsonb)",
                required,
                forbidden);

        var run = db.start("f", input);

        assertThat(db.step(run, "a", "status, skip_reason"))
                .isEqualTo(starts ? "started -" : "skipped condition_unmet");
    }

    @Test
    void seeTheOutputsOfCompletedDependencies(Flows db) {
        db.define("f", """
                a
                b | when_exhausted => 'skip', max_attempts => 1
                both: a, b | required_input_pattern => '{"a": 1, "b": {}}'
                only_a: a, b | required_input_pattern => '{"a": 1}', forbidden_input_pattern => '{"b": {}}'
                none: b | required_input_pattern => '{}'
                """);
        var run = db.start("f", "{\"a\": 2, \"b\": {}}");
        var tasks = db.claim("f", 10);
        db.complete(Flows.named(tasks, "a[0]"), "1");
        db.fail(Flows.named(tasks, "b[0]"), "no");

        assertThat(db.steps(run, "status"))
                .containsExactly("a completed", "b skipped", "both skipped", "only_a started", "none started");
    }

    @ParameterizedTest
    @CsvSource({
        "'', '{\"a\": null}', started",
        "'null', '{\"a\": null}', started",
        "'', '{\"a\": {}}', skipped",
        "'[]', '{\"a\": []}', started"
    })
    void seeANullOutputAsJsonNull(String output, String pattern, String status, Flows db) {
        db.define("f", """
                a
                b: a | required_input_pattern => '%s'
                """.formatted(pattern));
        var run = db.start("f", "1");
        db.complete(db.claimOne("f"), output.isEmpty() ? null : output);

        assertThat(db.step(run, "b", "status")).isEqualTo(status);
    }

    @Test
    void areNeverMetByTheArrayOfARootMap(Flows db) {
        db.define("f", """
                m map | required_input_pattern => '{}'
                n map: m
                """);
        var run = db.start("f", "[1]");

        assertThat(db.steps(run, "status, initial_tasks, skip_reason"))
                .containsExactly("m skipped 1 condition_unmet", "n completed 0 -");
        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 {\"n\": []}");
    }

    @Test
    void areLookedAtWhenTheStepIsReadyAndNotBefore(Flows db) {
        db.define("f", """
                a
                b: a | required_input_pattern => '{"a": 1}'
                """);
        var run = db.start("f", "1");
        assertThat(db.step(run, "b", "status")).isEqualTo("created");

        db.complete(db.claimOne("f"), "2");
        assertThat(db.step(run, "b", "status")).isEqualTo("skipped");
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    @Test
    void letDependentsGoOnWhereTheyOnlySkip(Flows db) {
        db.define("f", """
                a | required_input_pattern => '{"a": 1}'
                b
                m map: a
                join: a, b
                alone: a
                """);
        var run = db.start("f", "{}");

        assertThat(
                        db.steps(
                                run,
                                "status, remaining_deps, initial_tasks, remaining_tasks, skip_reason, skipped_at >= created_at"))
                .containsExactly(
                        "a skipped 0 1 - condition_unmet t",
                        "b started 0 1 1 - -",
                        "m completed 0 0 0 - -",
                        "join created 1 1 - - -",
                        "alone started 0 1 1 - -");
        assertThat(db.run(run)).isEqualTo("started 3");
        assertThat(db.claim("f", "alone[0]").input()).isEqualTo("{}");
    }

    @Test
    void skipEverythingDownstreamWithACascade(Flows db) {
        db.define("f", """
                a | required_input_pattern => '{"a": 1}', when_unmet => 'skip-cascade'
                b
                c: a
                d: c, b
                m map: d
                e: b
                """);
        var run = db.start("f", "{}");

        assertThat(db.steps(run, "status, remaining_deps, skip_reason"))
                .containsExactly(
                        "a skipped 0 condition_unmet",
                        "b started 0 -",
                        "c skipped 1 dependency_skipped",
                        "d skipped 2 dependency_skipped",
                        "m skipped 1 dependency_skipped",
                        "e created 1 -");
        assertThat(db.run(run)).isEqualTo("started 2");
    }

    @Test
    void failTheRunBeforeAnyTaskIsThere(Flows db) {
        db.define("f", """
                first
                a | required_input_pattern => '{"a": 1}', when_unmet => 'fail'
                b | required_input_pattern => '{"b": 1}', when_unmet => 'fail'
                skipped | required_input_pattern => '{"c": 1}'
                """);

        assertThat(
                        db.line(
                                "select status, remaining_steps, failed_at = now(), completed_at, output from pgflow.start_flow('f', '{}')"))
                .isEqualTo("failed 4 t - -");
        assertThat(db.lines("""
                        select step_slug, s.status, error_message, s.started_at, s.failed_at is not null, s.skip_reason
                        from pgflow.step_states s join pgflow.steps d using (step_slug) order by step_index"""))
                .as("the first in their order, and nothing else of the run")
                .containsExactly(
                        "first created - - f -",
                        "a failed Condition not met - t -",
                        "b created - - f -",
                        "skipped created - - f -");
        assertThat(db.queue("f")).isEmpty();
        assertThat(db.lines("select * from pgflow.step_tasks")).isEmpty();
    }

    @Test
    void failTheRunAndArchiveTheMessagesOfOpenTasks(Flows db) {
        db.define("f", """
                a
                b
                c
                gate: a | required_input_pattern => '{"a": 1}', when_unmet => 'fail'
                """);
        var run = db.start("f", "{}");
        var tasks = db.claim("f", 2);

        assertThat(db.complete(tasks.get(0), "2")).isEqualTo("a[0] completed 1 2 -");
        assertThat(db.steps(run, "status, error_message, remaining_tasks"))
                .containsExactly(
                        "a completed - 0", "b started - 1", "c started - 1", "gate failed Condition not met -");
        assertThat(db.run(run)).isEqualTo("failed 3");
        assertThat(db.queue("f")).isEmpty();
        assertThat(db.archive("f")).containsExactly("a[0]", "b[0]", "c[0]");
    }

    @Test
    void areLookedAtAgainForStepsThatASkipMadeReady(Flows db) {
        db.define("f", """
                a | required_input_pattern => '{"never": 1}'
                b: a | required_input_pattern => '{"a": {}}'
                c: b | forbidden_input_pattern => '{"b": {}}'
                d: b | required_input_pattern => '{"b": {}}', when_unmet => 'skip-cascade'
                e: d
                """);
        var run = db.start("f", "{}");

        assertThat(db.steps(run, "status, skip_reason"))
                .containsExactly(
                        "a skipped condition_unmet",
                        "b skipped condition_unmet",
                        "c started -",
                        "d skipped condition_unmet",
                        "e skipped dependency_skipped");
    }

    @Test
    void failTheRunAlsoWhereOnlyASkipMadeThemReady(Flows db) {
        db.define("f", """
                a | required_input_pattern => '{"never": 1}'
                b
                gate: a | required_input_pattern => '{"a": {}}', when_unmet => 'fail'
                """);
        var run = db.start("f", "{}");

        assertThat(db.steps(run, "status")).containsExactly("a skipped", "b created", "gate failed");
        assertThat(db.run(run)).isEqualTo("failed 2");
    }

    /** pgflow itself starts such a step without looking at its condition. */
    @ParameterizedTest
    @CsvSource({"required, started", "forbidden, skipped"})
    void areLookedAtForStepsThatAnEmptyMapMadeReady(String kind, String status, Flows db) {
        db.define("f", """
                m map
                n map: m
                z: n | %s_input_pattern => '{"n": []}'
                """.formatted(kind));
        var run = db.start("f", "[]");

        assertThat(db.steps(run, "status")).containsExactly("m completed", "n completed", "z " + status);
    }

    @Test
    void ofAMapThatAnEmptyMapMadeReadyAreLookedAtBeforeItCompletes(Flows db) {
        db.define("f", """
                m map
                n map: m | required_input_pattern => '{"m": [1]}', when_unmet => 'skip-cascade'
                z: n
                """);
        var run = db.start("f", "[]");

        assertThat(db.steps(run, "status, skip_reason"))
                .containsExactly("m completed -", "n skipped condition_unmet", "z skipped dependency_skipped");
        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 -");
    }

    @Test
    void completeTheRunWhereAllItsStepsAreSkipped(Flows db) {
        db.define("f", """
                a | required_input_pattern => '{"never": 1}', when_unmet => 'skip-cascade'
                b: a
                """);

        assertThat(db.line("select status, remaining_steps, output from pgflow.start_flow('f', '{}')"))
                .isEqualTo("completed 0 -");
    }

    @ParameterizedTest
    @ValueSource(ints = {49, 60})
    void canBeUnmetOneAfterTheOtherInALongChain(int length, Flows db) {
        db.define(
                "f",
                "s_00 | required_input_pattern => '{\"never\": 1}'\n"
                        + IntStream.range(1, length)
                                .mapToObj(i -> "s_%1$02d: s_%2$02d | required_input_pattern => '{\"s_%2$02d\": {}}'\n"
                                        .formatted(i, i - 1))
                                .collect(Collectors.joining()));

        assertThat(db.run(db.start("f", "{}"))).isEqualTo("completed 0");
    }

    @Test
    void makeNoDifferenceForAStepWithoutOne(Flows db) {
        db.define("f", "a | when_unmet => 'fail'");

        assertThat(db.run(db.start("f", "{}"))).isEqualTo("started 1");
    }

    /** Each layer waits for all of the layer before it: as many paths as 6 to the 7th, but only 42 steps. */
    @Test
    void cascadeOverManyPathsInTimeThatTheStepsTake(Flows db) {
        var steps =
                new StringBuilder("root | required_input_pattern => '{\"never\": 1}', when_unmet => 'skip-cascade'\n");
        for (int layer = 0; layer < 7; layer++) {
            int before = layer - 1;
            var dependencies = layer == 0
                    ? "root"
                    : IntStream.range(0, 6)
                            .mapToObj(i -> "l%d_%d".formatted(before, i))
                            .collect(Collectors.joining(", "));
            for (int i = 0; i < 6; i++) steps.append("l%d_%d: %s%n".formatted(layer, i, dependencies));
        }
        db.define("f", steps.toString());
        db.run("set statement_timeout = '5s'");

        assertThat(db.run(db.start("f", "{}"))).isEqualTo("completed 0");
        db.run("set statement_timeout = '60s'");
        assertThat(db.lines("select skip_reason, count(*) from pgflow.step_states group by 1 order by 1"))
                .containsExactly("condition_unmet 1", "dependency_skipped 42");
    }
}
