package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** A flow as the database's shape document, and as SQL. */
class FlowTextTest {

    private static final String PLAIN = """
            "whenUnmet": "skip", "whenExhausted": "fail",
            "requiredInputPattern": {"defined": false}, "forbiddenInputPattern": {"defined": false}""";

    private static Flow<Integer> plain() {
        var flow = Flow.of("plain", Integer.class);
        var b = flow.step("b", Integer.class, n -> n);
        var a = flow.list("a", Integer.class, n -> List.of(n));
        flow.step("c", Integer.class, b, a, (n, list) -> n);
        flow.map("d", Integer.class, a, n -> n);
        return flow.build();
    }

    private static Flow<Object> withAllOptions() {
        var flow = Flow.of("tuned", Object.class)
                .maxAttempts(4)
                .baseDelay(Duration.ofSeconds(2))
                .timeout(Duration.ofMinutes(1));
        flow.step("a", Object.class, any -> any)
                .maxAttempts(1)
                .baseDelay(Duration.ofSeconds(1))
                .timeout(Duration.ofSeconds(3))
                .startDelay(Duration.ofMinutes(2))
                .onlyIf(Map.of("it's", "C:\\tmp"))
                .unless(Map.of("done", true))
                .whenUnmet(Otherwise.SKIP_CASCADE)
                .whenExhausted(Otherwise.SKIP);
        return flow.build();
    }

    private static void assertSameJson(String actual, String expected) {
        var mapper = new JsonMapper();
        assertThat(mapper.readTree(actual)).isEqualTo(mapper.readTree(expected));
    }

    @Test
    void aShapeHasSevenMembersAStepAndNoOptionsUnlessSet() {
        assertSameJson(plain().shape(), """
                {"steps": [
                    {"slug": "b", "stepType": "single", "dependencies": [], %1$s},
                    {"slug": "a", "stepType": "single", "dependencies": [], %1$s},
                    {"slug": "c", "stepType": "single", "dependencies": ["a", "b"], %1$s},
                    {"slug": "d", "stepType": "map", "dependencies": ["a"], %1$s}]}
                """.formatted(PLAIN));
    }

    @Test
    void aShapeHasTheOptionsThatAreSet() {
        assertSameJson(withAllOptions().shape(), """
                {"steps": [{
                    "slug": "a", "stepType": "single", "dependencies": [],
                    "whenUnmet": "skip-cascade", "whenExhausted": "skip",
                    "requiredInputPattern": {"defined": true, "value": {"it's": "C:\\\\tmp"}},
                    "forbiddenInputPattern": {"defined": true, "value": {"done": true}},
                    "options": {"maxAttempts": 1, "baseDelay": 1, "timeout": 3, "startDelay": 120}}],
                 "options": {"maxAttempts": 4, "baseDelay": 2, "timeout": 60}}
                """);
    }

    @Test
    void sqlLeavesToTheDatabaseWhatIsNotSet() {
        assertThat(plain().toSql()).isEqualTo("""
                        select pgflow.create_flow(flow_slug => 'plain');
                        select pgflow.add_step(flow_slug => 'plain', step_slug => 'b');
                        select pgflow.add_step(flow_slug => 'plain', step_slug => 'a');
                        select pgflow.add_step(flow_slug => 'plain', step_slug => 'c', deps_slugs => array['b', 'a']);
                        select pgflow.add_step(flow_slug => 'plain', step_slug => 'd', deps_slugs => array['a'], step_type => 'map');
                        """);
    }

    @Test
    void sqlNamesEveryOptionAndQuotesEveryLiteral() {
        assertThat(withAllOptions().toSql()).isEqualTo("""
                        select pgflow.create_flow(flow_slug => 'tuned', max_attempts => 4, base_delay => 2, timeout => 60);
                        select pgflow.add_step(flow_slug => 'tuned', step_slug => 'a', max_attempts => 1, base_delay => 1, \
                        timeout => 3, start_delay => 120, required_input_pattern => E'{"it''s":"C:\\\\\\\\tmp"}', \
                        forbidden_input_pattern => '{"done":true}', when_unmet => 'skip-cascade', when_exhausted => 'skip');
                        """);
    }
}
