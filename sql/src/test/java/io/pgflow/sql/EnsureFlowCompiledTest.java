package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class EnsureFlowCompiledTest {
    private static final String SHAPE = """
            {"steps": [
              {"slug": "list", "stepType": "single", "dependencies": [], "whenUnmet": "skip", "whenExhausted": "fail",
               "requiredInputPattern": {"defined": true, "value": {"go": true}}, "forbiddenInputPattern": {"defined": false},
               "options": {"maxAttempts": 7, "baseDelay": 2, "timeout": 90, "startDelay": 4}},
              {"slug": "each", "stepType": "map", "dependencies": ["list"], "whenUnmet": "fail", "whenExhausted": "skip-cascade",
               "requiredInputPattern": {"defined": false}, "forbiddenInputPattern": {"defined": true, "value": {"list": []}}}],
             "options": {"maxAttempts": 5, "baseDelay": 3, "timeout": 30}}""";
    private static final String OTHER = "{\"steps\": [{\"slug\": \"other\", \"stepType\": \"single\"}]}";

    private static String ensure(Flows db, String shape) {
        return db.line("select pgflow.ensure_flow_compiled('f', ?::jsonb)", shape);
    }

    @Test
    void createsAMissingFlowWithItsOptions(Flows db) {
        assertThat(db.line(
                        "select pgflow.ensure_flow_compiled(flow_slug => 'f', shape => ?::jsonb, allow_data_loss => false)",
                        SHAPE))
                .isEqualTo("{\"status\": \"compiled\", \"differences\": []}");

        assertThat(db.line("select opt_max_attempts, opt_base_delay, opt_timeout from pgflow.flows"))
                .isEqualTo("5 3 30");
        assertThat(db.lines("""
                        select step_index, step_slug, step_type, deps_count, opt_max_attempts, opt_base_delay, opt_timeout, opt_start_delay,
                          required_input_pattern, forbidden_input_pattern, when_unmet, when_exhausted
                        from pgflow.steps order by 1"""))
                .containsExactly(
                        "0 list single 0 7 2 90 4 {\"go\": true} - skip fail",
                        "1 each map 1 - - - - - {\"list\": []} fail skip-cascade");
        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    void readsBackTheShapeThatItWrote(Flows db) {
        ensure(db, SHAPE);

        assertThat(db.holds("""
                        pgflow._get_flow_shape('f') = jsonb_build_object('steps', (select jsonb_agg(s - 'options' order by n)
                          from jsonb_array_elements(?::jsonb -> 'steps') with ordinality x (s, n)))""", SHAPE)).isTrue();
    }

    @Test
    void takesWhatIsMissingFromAShapeForDefaults(Flows db) {
        ensure(
                db,
                "{\"steps\": [{\"slug\": \"a\"}, {\"slug\": \"b\", \"stepType\": \"single\", \"dependencies\": [\"a\"]}]}");

        assertThat(db.line("select opt_max_attempts, opt_base_delay, opt_timeout from pgflow.flows"))
                .isEqualTo("3 5 60");
        assertThat(
                        db.lines(
                                "select step_slug, step_type, deps_count, opt_timeout, required_input_pattern, when_unmet, when_exhausted from pgflow.steps order by step_index"))
                .containsExactly("a single 0 - - skip fail", "b single 1 - - skip fail");
    }

    @Test
    void createsAFlowWithoutSteps(Flows db) {
        assertThat(ensure(db, "{}")).contains("compiled");
        assertThat(ensure(db, "{\"steps\": []}")).contains("verified");
    }

    @Test
    void verifiesAnEqualFlowAndChangesNothing(Flows db) {
        ensure(db, SHAPE);
        db.run("update pgflow.flows set opt_timeout = 999");

        assertThat(ensure(db, SHAPE)).isEqualTo("{\"status\": \"verified\", \"differences\": []}");
        assertThat(db.line("select opt_timeout from pgflow.flows"))
                .as("options are tuned in the database")
                .isEqualTo("999");
    }

    @Test
    void reportsAnotherFlowAndChangesNothing(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");

        assertThat(ensure(db, OTHER))
                .isEqualTo(
                        "{\"status\": \"mismatch\", \"differences\": [\"Step at index 0: slug differs 'other' vs 'a'\", \"Step at index 0: requiredInputPattern differs '' vs '{\\\"defined\\\": false}'\", \"Step at index 0: forbiddenInputPattern differs '' vs '{\\\"defined\\\": false}'\"]}");
        assertThat(db.line("select pgflow.ensure_flow_compiled('f', ?::jsonb, null)", OTHER))
                .contains("\"mismatch\"");
        assertThat(db.run(run)).isEqualTo("started 1");
    }

    @Test
    void recompilesWhereDataMayBeLost(Flows db) {
        db.define("f", "a");
        db.start("f", "1");

        assertThat(db.line("select pgflow.ensure_flow_compiled('f', ?::jsonb, true)", OTHER))
                .contains("\"recompiled\"")
                .contains("Step at index 0: slug differs 'other' vs 'a'");
        assertThat(db.lines("select step_slug from pgflow.steps")).containsExactly("other");
        assertThat(db.lines("select * from pgflow.runs")).isEmpty();
        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    void recompilesOnALocalSupabase(Flows db) {
        db.define("f", "a");
        db.run(
                "select set_config('app.settings.jwt_secret', 'super-secret-jwt-token-with-at-least-32-characters-long', false)");

        assertThat(db.line("select pgflow.is_local()")).isEqualTo("t");
        assertThat(ensure(db, OTHER)).contains("\"recompiled\"");

        for (var secret : new String[] {"", "another"}) {
            db.run("select set_config('app.settings.jwt_secret', ?, false)", secret);
            assertThat(db.line("select pgflow.is_local()")).isEqualTo("f");
        }
        assertThat(ensure(db, SHAPE)).contains("\"mismatch\"");
    }

    @Test
    void isNotLocalWhereNobodySaysSo(Flows db, Flows other) {
        assertThat(other.line("select pgflow.is_local()")).isEqualTo("f");
    }

    @Test
    void createsAFlowOnceWhereSeveralWorkersCallAtOnce(Flows a, Flows b, Flows c) {
        var calls = Stream.of(a, b, c)
                .map(db -> Background.start(db, session -> ensure(session, SHAPE)))
                .toList();

        assertThat(calls.stream().map(Background::result).map(result -> result.contains("compiled")))
                .containsExactlyInAnyOrder(true, false, false);
        assertThat(a.number("select count(*) from pgflow.steps")).isEqualTo(2);
    }

    /** Whoever else compiles flows takes the same lock: other releases of pgflow do. */
    @Test
    void waitsForWhoeverHoldsTheLockOfTheFlow(Flows db, Flows other) {
        ensure(db, SHAPE);
        other.begin();
        other.run("select pg_advisory_xact_lock(1, hashtext('f'))");

        var call = Background.start(db, session -> ensure(session, SHAPE));
        call.awaitLock(other);
        assertThat(other.line("select pgflow.ensure_flow_compiled('g', ?::jsonb)", SHAPE))
                .as("another flow")
                .contains("compiled");
        other.commit();

        assertThat(call.result()).contains("verified");
    }
}
