package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.SqlSession.Refusal;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CoreDatabase.class)
class AddStepTest {
    private static final String STEPS =
            "select step_slug, step_type, step_index, deps_count from pgflow.steps where flow_slug = 'f' order by step_index";
    private static final String DEPS =
            "select dep_slug, step_slug from pgflow.deps where flow_slug = 'f' order by 2, 1";

    @BeforeEach
    void createFlow(Flows db) {
        db.run("select pgflow.create_flow('f')");
    }

    private static Refusal check(String table, String constraint) {
        return new Refusal(
                "23514", "new row for relation \"%s\" violates check constraint \"%s\"".formatted(table, constraint));
    }

    @Test
    void returnsTheStepWithItsDefaults(Flows db) {
        assertThat(db.lines("""
                        select flow_slug, step_slug, step_type, step_index, deps_count, opt_max_attempts, opt_base_delay, opt_timeout, opt_start_delay,
                          required_input_pattern, forbidden_input_pattern, when_unmet, when_exhausted, created_at = now()
                        from pgflow.add_step('f', 'a')""")).containsExactly("f a single 0 0 - - - - - - skip fail t");
    }

    @Test
    void storesAllThatItIsGiven(Flows db) {
        db.run("select pgflow.add_step('f', 'a')");

        assertThat(db.line("""
                        select step_type, step_index, deps_count, opt_max_attempts, opt_base_delay, opt_timeout, opt_start_delay,
                          required_input_pattern, forbidden_input_pattern, when_unmet, when_exhausted
                        from pgflow.add_step(flow_slug => 'f', step_slug => 'b', deps_slugs => array['a'], max_attempts => 0, base_delay => 1,
                          timeout => 2, start_delay => 3, step_type => 'map', required_input_pattern => '{"a": 1}',
                          forbidden_input_pattern => '{}', when_unmet => 'fail', when_exhausted => 'skip-cascade')""")).isEqualTo("map 1 1 0 1 2 3 {\"a\": 1} {} fail skip-cascade");
    }

    @Test
    void countsStepsUpInTheOrderOfTheirDefinition(Flows db) {
        db.define("g", "x");
        db.define("f", """
                b
                a
                d: b, a
                c map: d
                """);

        assertThat(db.lines(STEPS)).containsExactly("b single 0 0", "a single 1 0", "d single 2 2", "c map 3 1");
        assertThat(db.lines(DEPS)).containsExactly("d c", "a d", "b d");
    }

    @Test
    void takesNoDependenciesForNullAndNoTypeForSingle(Flows db) {
        assertThat(db.line("select step_type, deps_count from pgflow.add_step('f', 'a', null, step_type => null)"))
                .isEqualTo("single 0");
    }

    @Test
    void changesNothingWhereTheStepIsThere(Flows db) {
        db.define("f", """
                a
                b
                c: a | timeout => 5
                """);

        assertThat(db.line("""
                        select step_type, step_index, deps_count, opt_timeout, when_unmet
                        from pgflow.add_step('f', 'c', array['a', 'b'], timeout => 9, when_unmet => 'fail')""")).isEqualTo("single 2 1 5 skip");
        assertThat(db.lines(DEPS)).as("and no dependency that was not counted").containsExactly("a c");
    }

    @Test
    void isANoOpForAWholeFlowDefinedTwice(Flows db) {
        var steps = """
                a
                m map: a
                z: a, m
                """;
        db.define("f", steps);
        var once = db.lines("select * from pgflow.steps order by step_index");

        db.define("f", steps);

        assertThat(db.lines("select * from pgflow.steps order by step_index"))
                .isEqualTo(once)
                .hasSize(3);
        assertThat(db.lines(DEPS)).containsExactly("a m", "a z", "m z");
    }

    @Test
    void countsADependencyThatIsNamedTwiceOnce(Flows db) {
        db.define("f", """
                a
                b: a, a
                """);

        assertThat(db.lines(STEPS)).containsExactly("a single 0 0", "b single 1 1");
        assertThat(db.lines(DEPS)).containsExactly("a b");
    }

    @Test
    void refusesAMapOverMoreThanOneStep(Flows db) {
        db.define("f", """
                a
                b
                c
                """);

        assertThat(db.refusal("select pgflow.add_step('f', 'm', array['a', 'b', 'c'], step_type => 'map')"))
                .isEqualTo(new Refusal(
                        "P0001", "Map step \"m\" can have at most one dependency, but 3 were provided: a, b, c"));
        assertThat(db.lines(STEPS)).hasSize(3);
    }

    @Test
    void refusesAnUnknownFlow(Flows db) {
        assertThat(db.refusal("select pgflow.add_step('nobody', 'a')"))
                .isEqualTo(
                        new Refusal(
                                "23503",
                                "insert or update on table \"steps\" violates foreign key constraint \"steps_flow_slug_fkey\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"nobody", "c"})
    void refusesAnUnknownDependency(String dependency, Flows db) {
        db.define("f", "a");
        db.define("g", "c");

        assertThat(db.refusal("select pgflow.add_step('f', 'b', array['a', ?])", dependency))
                .isEqualTo(
                        new Refusal(
                                "23503",
                                "insert or update on table \"deps\" violates foreign key constraint \"deps_flow_slug_dep_slug_fkey\""));
        assertThat(db.lines(STEPS))
                .as("the step is rolled back with the statement")
                .containsExactly("a single 0 0");
    }

    @Test
    void refusesAStepThatWaitsForItself(Flows db) {
        assertThat(db.refusal("select pgflow.add_step('f', 'a', array['a'])")).isEqualTo(check("deps", "deps_check"));
        assertThat(db.lines(STEPS)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "run", "a-b", "a b", "1a", "a'b", "a;b"})
    void refusesABadSlug(String slug, Flows db) {
        assertThat(db.refusal("select pgflow.add_step('f', ?)", slug))
                .isEqualTo(check("steps", "steps_step_slug_check"));
    }

    @Test
    void allowsSlugsOf128Characters(Flows db) {
        assertThat(db.number("select length(step_slug) from pgflow.add_step('f', ?)", "s".repeat(128)))
                .isEqualTo(128);
        assertThat(db.refusal("select pgflow.add_step('f', ?)", "s".repeat(129)))
                .isEqualTo(check("steps", "steps_step_slug_check"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "step_type => 'loop'                       | steps_step_type_check",
                "when_unmet => 'ignore'                    | when_unmet_is_valid",
                "when_exhausted => 'skip_cascade'          | when_exhausted_is_valid",
                "required_input_pattern => '[1]'           | required_input_pattern_is_object",
                "required_input_pattern => 'null'          | required_input_pattern_is_object",
                "forbidden_input_pattern => '\"a\"'        | forbidden_input_pattern_is_object",
                "start_delay => -1                         | opt_start_delay_is_nonnegative",
                "max_attempts => -1                        | opt_max_attempts_is_nonnegative",
                "base_delay => -1                          | opt_base_delay_is_nonnegative",
                "timeout => 0                              | opt_timeout_is_positive",
            })
    void refusesOptionsOutsideTheirRange(String option, String constraint, Flows db) {
        assertThat(db.refusal("select pgflow.add_step('f', 'a', " + option + ")"))
                .isEqualTo(check("steps", constraint));
    }

    @ParameterizedTest
    @ValueSource(strings = {"when_unmet", "when_exhausted"})
    void refusesANullMode(String mode, Flows db) {
        assertThat(db.refusal("select pgflow.add_step('f', 'a', " + mode + " => null)")
                        .state())
                .isEqualTo("23502");
    }

    @Test
    void refusesTwoStepsOfOneIndexWhoeverWritesThem(Flows db) {
        db.define("f", "a");

        assertThat(db.refusal("insert into pgflow.steps (flow_slug, step_slug, step_index) values ('f', 'b', 0)"))
                .isEqualTo(new Refusal(
                        "23505", "duplicate key value violates unique constraint \"steps_flow_slug_step_index_key\""));
    }

    @Test
    void givesStepsThatAreAddedAtOnceDifferentIndexes(Flows a, Flows b, Flows c, Flows d) {
        var calls = Stream.of(a, b, c, d)
                .map(db -> Background.start(db, session -> {
                    for (int i = 0; i < 10; i++) {
                        session.run("select pgflow.add_step('f', 's_' || pg_backend_pid() || '_' || ?)", i);
                    }
                    return true;
                }))
                .toList();
        assertThat(calls).allMatch(Background::result);

        assertThat(
                        a.line(
                                "select count(*), count(distinct step_index), min(step_index), max(step_index) from pgflow.steps"))
                .isEqualTo("40 40 0 39");
    }
}
