package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.CoreDatabase.Tampering;
import io.pgflow.sql.SqlSession.Refusal;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code cascade_resolve_conditions}, {@code cascade_complete_taskless_steps}, {@code start_ready_steps} and {@code maybe_complete_run}, called on
 * their own. The functions that clients call have done all of it already, so these find something only where rows were changed by hand.
 */
@ExtendWith(CoreDatabase.class)
class FollowUpFunctionsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cascade_resolve_conditions",
                "cascade_complete_taskless_steps",
                "start_ready_steps",
                "maybe_complete_run"
            })
    void findNothingToDoInARunThatGoesOn(String function, Flows db) {
        db.define("f", """
                a
                b: a
                m map: a
                """);
        var run = db.start("f", "1");
        var before = db.steps(run);

        db.run("select pgflow." + function + "(run_id => ?)", run);
        db.run("select pgflow." + function + "(?)", run);

        assertThat(db.steps(run)).isEqualTo(before);
        assertThat(db.run(run)).isEqualTo("started 3");
        assertThat(db.queue("f")).containsExactly("a[0]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cascade_resolve_conditions",
                "cascade_complete_taskless_steps",
                "start_ready_steps",
                "maybe_complete_run"
            })
    void passAnUnknownRunOver(String function, Flows db) {
        db.run("select pgflow." + function + "(?)", UUID.randomUUID());
        db.run("select pgflow." + function + "(null)");

        assertThat(db.lines("select * from pgflow.runs")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cascade_resolve_conditions",
                "cascade_complete_taskless_steps",
                "start_ready_steps",
                "maybe_complete_run"
            })
    void changeNothingInAFailedRun(String function, Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                gate: a | required_input_pattern => '{"a": 1}'
                m map: a
                """);
        var run = db.start("f", "1");
        db.fail(db.claimOne("f"), "no");
        db.run("update pgflow.step_states set remaining_deps = 0, initial_tasks = 0 where step_slug <> 'a'");
        var before = db.steps(run);

        db.run("select pgflow." + function + "(?)", run);

        assertThat(db.steps(run)).isEqualTo(before);
        assertThat(db.run(run)).isEqualTo("failed 3");
        db.run("update pgflow.step_states set remaining_deps = 1, initial_tasks = null where step_slug = 'm'");
        db.run("update pgflow.step_states set remaining_deps = 1, initial_tasks = 1 where step_slug = 'gate'");
    }

    @Test
    void sayWhetherTheRunMayGoOn(Flows db) {
        db.define("f", "max_attempts => 1", "a");
        var failed = db.start("f", "1");
        db.fail(db.claimOne("f"), "no");
        var completed = db.start("f", "1");
        db.complete(db.claimOne("f"), "1");
        var started = db.start("f", "1");

        assertThat(db.line("select pgflow.cascade_resolve_conditions(?)", failed))
                .isEqualTo("f");
        assertThat(db.line("select pgflow.cascade_resolve_conditions(?)", completed))
                .isEqualTo("t");
        assertThat(db.line("select pgflow.cascade_resolve_conditions(?)", started))
                .isEqualTo("t");
        assertThat(db.line("select pgflow.cascade_resolve_conditions(?)", UUID.randomUUID()))
                .isEqualTo("t");
    }

    @Test
    @Tampering
    void resolveConditionsOfStepsMadeReadyByHand(Flows db) {
        db.define("f", """
                a
                gate: a | required_input_pattern => '{"a": 1}', when_unmet => 'fail'
                """);
        var run = db.start("f", "1");
        db.run("update pgflow.step_states set remaining_deps = 0 where step_slug = 'gate'");

        assertThat(db.line("select pgflow.cascade_resolve_conditions(?)", run)).isEqualTo("f");
        assertThat(db.steps(run, "status, error_message"))
                .containsExactly("a started -", "gate failed Condition not met");
        assertThat(db.run(run)).isEqualTo("failed 2");
        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    @Tampering
    void completeStepsWithoutTasksAndCountThem(Flows db) {
        db.define("f", """
                a
                m map: a
                n map: m
                single: a
                z: n
                """);
        var run = db.start("f", "1");
        db.run(
                "update pgflow.step_states set remaining_deps = 0, initial_tasks = 0 where step_slug in ('m', 'single')");

        assertThat(db.number("select pgflow.cascade_complete_taskless_steps(?)", run))
                .isEqualTo(3);
        assertThat(db.steps(run, "status, initial_tasks, remaining_tasks, output"))
                .containsExactly(
                        "a started 1 1 -",
                        "m completed 0 0 []",
                        "n completed 0 0 []",
                        "single completed 0 0 -",
                        "z created 1 - -");
        assertThat(db.run(run)).isEqualTo("started 2");
    }

    @ParameterizedTest
    @ValueSource(ints = {49, 51})
    @Tampering
    void completeNoMoreThan49WavesOfStepsWithoutTasks(int length, Flows db) {
        db.define(
                "f",
                "a\nm_00 map: a\n"
                        + IntStream.range(1, length)
                                .mapToObj(i -> "m_%02d map: m_%02d%n".formatted(i, i - 1))
                                .collect(Collectors.joining()));
        var run = db.start("f", "1");
        db.run("update pgflow.step_states set remaining_deps = 0, initial_tasks = 0 where step_slug = 'm_00'");

        if (length == 49) {
            assertThat(db.number("select pgflow.cascade_complete_taskless_steps(?)", run))
                    .isEqualTo(49);
        } else {
            assertThat(db.refusal("select pgflow.cascade_complete_taskless_steps(?)", run))
                    .isEqualTo(new Refusal("P0001", "Cascade loop exceeded safety limit of 50 iterations"));
        }
    }

    @Test
    @Tampering
    void startWhatIsReadyInTheOrderOfSlugsAndNothingElse(Flows db) {
        db.define("f", """
                a
                z: a | start_delay => 100
                m map: a
                unknown map: a
                empty map: a
                b: a, z
                """);
        var run = db.start("f", "1");
        db.run("update pgflow.step_states set remaining_deps = 0 where step_slug in ('z', 'm', 'unknown', 'empty')");
        db.run("update pgflow.step_states set initial_tasks = 2 where step_slug = 'm'");
        db.run("update pgflow.step_states set initial_tasks = 0 where step_slug = 'empty'");

        db.run("select pgflow.start_ready_steps(?)", run);
        db.run("select pgflow.start_ready_steps(?)", run);

        assertThat(db.steps(run))
                .containsExactly(
                        "a started 0 1 1",
                        "z started 0 1 1",
                        "m started 0 2 2",
                        "unknown created 0 - -",
                        "empty created 0 0 -",
                        "b created 2 1 -");
        assertThat(db.queue("f")).containsExactly("a[0]", "m[0]", "m[1]", "z[0]");
        assertThat(db.hiddenFor("f", 4)).isBetween(95L, 100L);
    }

    @Test
    @Tampering
    void completeTheRunOnceNothingRemains(Flows db) {
        db.define("f", """
                a
                b: a
                leaf
                skipped
                """);
        var run = db.start("f", "1");
        db.run("""
                update pgflow.step_states set status = 'completed', completed_at = now(), remaining_tasks = 0, output = to_jsonb('of ' || step_slug)
                where step_slug <> 'skipped'""");
        db.run("""
                update pgflow.step_states set status = 'skipped', skip_reason = 'condition_unmet', skipped_at = now(), remaining_tasks = null
                where step_slug = 'skipped'""");
        db.run("select pgflow.maybe_complete_run(?)", run);
        assertThat(db.run(run)).isEqualTo("started 4");

        db.run("update pgflow.runs set remaining_steps = 0");
        db.run("select pgflow.maybe_complete_run(?)", run);
        assertThat(
                        db.line(
                                "select status, output, completed_at = started_at or completed_at > started_at from pgflow.runs"))
                .isEqualTo("completed {\"b\": \"of b\", \"leaf\": \"of leaf\"} t");

        var completedAt = db.line("select completed_at from pgflow.runs");
        db.run("select pgflow.maybe_complete_run(?)", run);
        assertThat(db.line("select completed_at from pgflow.runs")).isEqualTo(completedAt);
    }

    @Test
    @Tampering
    void neverCompleteAFailedRun(Flows db) {
        db.define("f", "max_attempts => 1", "a");
        var run = db.start("f", "1");
        db.fail(db.claimOne("f"), "no");
        db.run("update pgflow.runs set remaining_steps = 0");

        db.run("select pgflow.maybe_complete_run(?)", run);
        assertThat(db.run(run)).isEqualTo("failed 0");
    }
}
