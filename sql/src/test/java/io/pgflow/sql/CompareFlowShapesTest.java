package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(CoreDatabase.class)
class CompareFlowShapesTest {
    private static final String FULL = """
            {"slug": "a", "stepType": "single", "dependencies": ["x", "y"], "whenUnmet": "skip", "whenExhausted": "fail",
             "requiredInputPattern": {"defined": false}, "forbiddenInputPattern": {"defined": false}}""";

    private static List<String> differences(Flows db, String first, String second) {
        return db.lines("select unnest(pgflow._compare_flow_shapes(?::jsonb, ?::jsonb))", first, second);
    }

    private static List<String> stepDifferences(Flows db, String first, String second) {
        return differences(db, "{\"steps\": [" + first + "]}", "{\"steps\": [" + second + "]}");
    }

    private static String with(String key, String value) {
        return FULL.replaceFirst("\"" + key + "\": (\"\\w+\"|\\[.*?]|\\{.*?})", "\"" + key + "\": " + value);
    }

    /** The specification's worked example 15.12, word for word. */
    @Test
    void saysAllDifferencesInOrder(Flows db) {
        db.define("stored", """
                m map
                c: m
                """);

        assertThat(db.lines("""
                        select unnest(pgflow._compare_flow_shapes(
                          '{"steps": [{"slug": "a", "stepType": "single", "dependencies": []},
                                      {"slug": "b", "stepType": "map", "dependencies": ["a"]}]}',
                          pgflow._get_flow_shape('stored')))"""))
                .containsExactly(
                        "Step at index 0: slug differs 'a' vs 'm'",
                        "Step at index 0: type differs 'single' vs 'map'",
                        "Step at index 0: requiredInputPattern differs '' vs '{\"defined\": false}'",
                        "Step at index 0: forbiddenInputPattern differs '' vs '{\"defined\": false}'",
                        "Step at index 1: slug differs 'b' vs 'c'",
                        "Step at index 1: type differs 'map' vs 'single'",
                        "Step at index 1: dependencies differ [a] vs [m]",
                        "Step at index 1: requiredInputPattern differs '' vs '{\"defined\": false}'",
                        "Step at index 1: forbiddenInputPattern differs '' vs '{\"defined\": false}'");
        assertThat(differences(db, "{}", "{\"steps\": [{\"slug\": \"a\"}]}"))
                .containsExactly(
                        "Step count differs: 0 vs 1", "Step at index 0: missing in first shape (second has 'a')");
    }

    @Test
    void isEmptyAndNotNullForEqualShapes(Flows db) {
        assertThat(db.line("select pgflow._compare_flow_shapes('{\"steps\": []}', '{}')"))
                .isEqualTo("{}");
        assertThat(stepDifferences(db, FULL, FULL)).isEmpty();
    }

    @Test
    void findsAStoredFlowEqualToItself(Flows db) {
        db.define("f", """
                a | required_input_pattern => '{"x": [1]}'
                b map: a | when_exhausted => 'skip'
                """);

        assertThat(db.line(
                        "select pgflow._compare_flow_shapes(pgflow._get_flow_shape('f'), pgflow._get_flow_shape('f'))"))
                .isEqualTo("{}");
    }

    @Test
    void saysWhatIsMissingOnEitherSide(Flows db) {
        assertThat(differences(
                        db,
                        "{\"steps\": [{\"slug\": \"a\"}, {\"slug\": \"b\"}, {\"slug\": \"c\"}]}",
                        "{\"steps\": [{\"slug\": \"a\"}]}"))
                .containsExactly(
                        "Step count differs: 3 vs 1",
                        "Step at index 1: missing in second shape (first has 'b')",
                        "Step at index 2: missing in second shape (first has 'c')");
    }

    @Test
    void comparesByPosition(Flows db) {
        assertThat(differences(
                        db,
                        "{\"steps\": [{\"slug\": \"a\"}, {\"slug\": \"b\"}]}",
                        "{\"steps\": [{\"slug\": \"b\"}, {\"slug\": \"a\"}]}"))
                .containsExactly(
                        "Step at index 0: slug differs 'a' vs 'b'", "Step at index 1: slug differs 'b' vs 'a'");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "slug         | \"b\"           | Step at index 0: slug differs 'a' vs 'b'",
                "stepType     | \"map\"         | Step at index 0: type differs 'single' vs 'map'",
                "dependencies | [\"z\"]         | Step at index 0: dependencies differ [x, y] vs [z]",
                "dependencies | []              | Step at index 0: dependencies differ [x, y] vs []",
                "whenUnmet    | \"fail\"        | Step at index 0: whenUnmet differs 'skip' vs 'fail'",
                "whenExhausted | \"skip-cascade\" | Step at index 0: whenExhausted differs 'fail' vs 'skip-cascade'",
                "requiredInputPattern | {\"defined\": true, \"value\": {\"status\": \"active\"}} | Step at index 0: requiredInputPattern differs '{\"defined\": false}' vs '{\"value\": {\"status\": \"active\"}, \"defined\": true}'",
                "forbiddenInputPattern | {\"defined\": true, \"value\": {}} | Step at index 0: forbiddenInputPattern differs '{\"defined\": false}' vs '{\"value\": {}, \"defined\": true}'",
            })
    void saysWhichPropertyDiffers(String key, String value, String difference, Flows db) {
        assertThat(stepDifferences(db, FULL, with(key, value))).containsExactly(difference);
    }

    @Test
    void sortsDependenciesBeforeItComparesThem(Flows db) {
        assertThat(stepDifferences(db, FULL, with("dependencies", "[\"y\", \"x\"]")))
                .isEmpty();
        assertThat(stepDifferences(db, with("dependencies", "[\"y\", \"x\", \"b\"]"), FULL))
                .containsExactly("Step at index 0: dependencies differ [b, x, y] vs [x, y]");
    }

    @Test
    void toleratesMissingModesAndTypesButNotMissingPatterns(Flows db) {
        var bare = "{\"slug\": \"a\", \"dependencies\": [\"x\", \"y\"]}";

        assertThat(stepDifferences(db, FULL, bare))
                .containsExactly(
                        "Step at index 0: requiredInputPattern differs '{\"defined\": false}' vs ''",
                        "Step at index 0: forbiddenInputPattern differs '{\"defined\": false}' vs ''");
        assertThat(stepDifferences(db, bare, bare)).isEmpty();
    }

    @Test
    void passesOptionsOver(Flows db) {
        assertThat(differences(db, """
                        {"steps": [{"slug": "a", "options": {"timeout": 1}}], "options": {"maxAttempts": 9}}""", """
                        {"steps": [{"slug": "a", "options": {"timeout": 2}}]}""")).isEmpty();
    }
}
