package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class GetFlowShapeTest {

    private static boolean isShape(Flows db, String flow, String shape) {
        return db.holds("pgflow._get_flow_shape(?) = ?::jsonb", flow, shape);
    }

    @Test
    void hasNoStepsForAnUnknownFlowOrAnEmptyOne(Flows db) {
        db.run("select pgflow.create_flow('empty')");

        assertThat(db.line("select pgflow._get_flow_shape('nobody')")).isEqualTo("{\"steps\": []}");
        assertThat(db.line("select pgflow._get_flow_shape('empty')")).isEqualTo("{\"steps\": []}");
    }

    @Test
    void hasTheSevenKeysOfEachStepAndNoOptions(Flows db) {
        db.define("f", "max_attempts => 7", """
                z
                m map: z | max_attempts => 5, timeout => 9, start_delay => 3, when_unmet => 'fail', when_exhausted => 'skip-cascade'
                """);

        assertThat(isShape(db, "f", """
                        {"steps": [
                          {"slug": "z", "stepType": "single", "dependencies": [], "whenUnmet": "skip", "whenExhausted": "fail",
                           "requiredInputPattern": {"defined": false}, "forbiddenInputPattern": {"defined": false}},
                          {"slug": "m", "stepType": "map", "dependencies": ["z"], "whenUnmet": "fail", "whenExhausted": "skip-cascade",
                           "requiredInputPattern": {"defined": false}, "forbiddenInputPattern": {"defined": false}}]}""")).isTrue();
    }

    @Test
    void hasThePatternsThatAreDefined(Flows db) {
        db.define("f", """
                a | required_input_pattern => '{"status": "active"}'
                b: a | forbidden_input_pattern => '{}'
                """);

        assertThat(db.lines("""
                        select s -> 'requiredInputPattern', s -> 'forbiddenInputPattern'
                        from jsonb_array_elements(pgflow._get_flow_shape('f') -> 'steps') s"""))
                .containsExactly(
                        "{\"value\": {\"status\": \"active\"}, \"defined\": true} {\"defined\": false}",
                        "{\"defined\": false} {\"value\": {}, \"defined\": true}");
    }

    @Test
    void keepsStepsInTheirOrderAndSortsDependencies(Flows db) {
        db.define("f", """
                zeta
                alpha
                beta
                join: zeta, alpha, beta
                """);

        assertThat(
                        db.lines(
                                "select s -> 'slug', s -> 'dependencies' from jsonb_array_elements(pgflow._get_flow_shape('f') -> 'steps') s"))
                .containsExactly(
                        "\"zeta\" []", "\"alpha\" []", "\"beta\" []", "\"join\" [\"alpha\", \"beta\", \"zeta\"]");
    }
}
