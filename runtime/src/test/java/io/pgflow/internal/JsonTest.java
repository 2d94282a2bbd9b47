package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.pgflow.Flow;
import io.pgflow.FlowBuilder;
import io.pgflow.Source;
import io.pgflow.Step;
import io.pgflow.TaskContext;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

class JsonTest {

    static final String BIG = "7".repeat(100_000);

    /** Each must come out of a handler that returns it as it went in. */
    static final List<String> TEXTS = List.of(
            "null",
            "true",
            "false",
            "0",
            "-1",
            "\"\"",
            "\"123\"",
            "\"null\"",
            "[]",
            "{}",
            "[[],[[]],[[1,[2,null]],{}]]",
            "{\"a\":null,\"b\":{\"c\":[]},\"\":0}",
            "9223372036854775807",
            "-9223372036854775808",
            "9007199254740993",
            "18446744073709551616",
            "0.1000000000000000055511151231257827021181583404541015625",
            "12345678901234567890.12345678901234567890",
            "1.50",
            BIG,
            BIG + "." + "3".repeat(16_000),
            "\"Grüße, 世界, \uD83D\uDE80, \u200F\u2028\u0301\"",
            "\"\\\" \\\\ \\n \\t / \\b\"",
            "\"\\\\u0000\"");

    private final Json json = new Json();
    private final TaskContext context =
            new Attempt(new UUID(0, 1), "flow", "step", 2, 1, Instant.EPOCH, new UUID(0, 2), false);

    private static String noFlowInput() {
        throw new AssertionError("the run's input is not wanted");
    }

    record Attempt(
            UUID runId,
            String flowSlug,
            String stepSlug,
            int taskIndex,
            int attempt,
            Instant deadline,
            UUID workerId,
            boolean cancelled)
            implements TaskContext {

        @Override
        public <I> I input(Source.Input<I> source) {
            throw new AssertionError("nobody asks");
        }
    }

    record Line(String article, int count) {}

    record Order(String id, BigDecimal total, List<Line> lines, Optional<String> note, Map<String, Instant> times) {}

    record Empty() {}

    enum Colour {
        RED
    }

    @JsonTypeInfo(use = JsonTypeInfo.Id.SIMPLE_NAME)
    sealed interface Shape {}

    record Circle(double radius) implements Shape {}

    record Square(double side) implements Shape {}

    private static <T> Step<T> rootOf(Class<T> type) {
        return Flow.of("roots", type).step("root", type, value -> value);
    }

    @Nested
    class Values {

        @ParameterizedTest
        @FieldSource("io.pgflow.internal.JsonTest#TEXTS")
        void surviveARootStep(String text) throws Exception {
            var step = rootOf(Object.class);

            var arguments = json.arguments(step, "{}", () -> text, context);

            assertThat(json.output(step, step.invoke(arguments))).isEqualTo(text);
        }

        @ParameterizedTest
        @FieldSource("io.pgflow.internal.JsonTest#TEXTS")
        void surviveADependency(String text) throws Exception {
            var flow = Flow.of("chain", Object.class);
            var first = flow.step("first", Object.class, any -> any);
            var second = flow.step("second", Object.class, first, any -> any);

            var arguments = json.arguments(second, "{\"first\": " + text + "}", JsonTest::noFlowInput, context);

            assertThat(json.output(second, second.invoke(arguments))).isEqualTo(text);
        }

        @ParameterizedTest
        @FieldSource("io.pgflow.internal.JsonTest#TEXTS")
        void surviveAMap(String text) throws Exception {
            var flow = Flow.ofList("mapped", Object.class);
            var root = flow.map("root", Object.class, flow.input(), any -> any);
            var after = flow.map("after", Object.class, root, any -> any);

            for (Step<?> map : List.of(root, after)) {
                var arguments = json.arguments(map, text, JsonTest::noFlowInput, context);
                assertThat(json.output(map, map.invoke(arguments))).isEqualTo(text);
            }
        }

        @Test
        void areBoundToTheTypesOfTheirSteps() {
            assertThat(json.<Object>read("9223372036854775807", Long.class)).isEqualTo(Long.MAX_VALUE);
            assertThat(json.<Object>read("18446744073709551616", BigInteger.class))
                    .isEqualTo(BigInteger.TWO.pow(64));
            assertThat(json.<Object>read("0.10", BigDecimal.class)).isEqualTo(new BigDecimal("0.10"));
            assertThat(json.<Object>read("\"123\"", String.class)).isEqualTo("123");
            assertThat(json.<Object>read("false", Boolean.class)).isEqualTo(false);
            assertThat(json.<Object>read("\"RED\"", Colour.class)).isEqualTo(Colour.RED);
            assertThat(json.<Object>read("{}", Empty.class)).isEqualTo(new Empty());
            assertThat(json.<Object>read("null", Line.class)).isNull();
        }

        @Test
        void areRecordsOfRecordsBothWays() throws Exception {
            var step = rootOf(Order.class);
            var order = new Order(
                    "o1",
                    new BigDecimal("12.50"),
                    List.of(new Line("bolt", 2), new Line("nut", 0)),
                    Optional.empty(),
                    Map.of("placed", Instant.parse("2026-01-31T12:00:00.123456Z")));

            String text = json.output(step, order);

            assertThat(text)
                    .isEqualTo(
                            "{\"id\":\"o1\",\"total\":12.50,\"lines\":[{\"article\":\"bolt\",\"count\":2},{\"article\":\"nut\",\"count\":0}],"
                                    + "\"note\":null,\"times\":{\"placed\":\"2026-01-31T12:00:00.123456Z\"}}");
            assertThat(json.arguments(step, null, () -> text, context)).isEqualTo(List.of(order));
        }

        @Test
        void mayHaveMembersThatTheTypeDoesNotKnow() {
            assertThat(json.<Object>read("{\"count\": 1, \"new\": [{}], \"article\": \"nut\"}", Line.class))
                    .isEqualTo(new Line("nut", 1));
        }

        @Test
        void ofSealedTypesKeepTheirKindInLists() {
            var flow = Flow.of("shapes", Integer.class);
            var list = flow.list("list", Shape.class, n -> List.of(new Circle(n), new Square(n)));
            var map = flow.map("map", Shape.class, list, shape -> shape);
            var after = flow.step("after", Integer.class, map, List::size);

            String text = json.output(list, List.of(new Circle(1), new Square(2)));

            assertThat(text).isEqualTo("[{\"@type\":\"Circle\",\"radius\":1.0},{\"@type\":\"Square\",\"side\":2.0}]");
            assertThat(json.output(map, new Circle(1))).isEqualTo("{\"@type\":\"Circle\",\"radius\":1.0}");
            assertThat(json.arguments(map, "{\"@type\":\"Circle\",\"radius\":1.0}", JsonTest::noFlowInput, context))
                    .isEqualTo(List.of(new Circle(1)));
            assertThat(json.arguments(after, "{\"map\": " + text + "}", JsonTest::noFlowInput, context))
                    .isEqualTo(List.of(List.of(new Circle(1), new Square(2))));
        }

        @Test
        void areWrittenByTheirOwnClass() {
            var step = Flow.of("open", Integer.class).step("open", Object.class, n -> n);

            assertThat(json.output(step, new Line("nut", 1))).isEqualTo("{\"article\":\"nut\",\"count\":1}");
        }

        @Test
        void keepTheNullsOfMaps() {
            var map = new HashMap<String, @Nullable Object>();
            map.put("a", null);

            assertThat(json.write(map)).isEqualTo("{\"a\":null}");
        }

        @Test
        void thatDoNotFitSayWhichAndWhy() {
            var flow = Flow.of("misfit", Integer.class);
            var list = flow.list("list", Line.class, n -> List.of());
            var map = flow.map("map", Line.class, list, line -> line);
            var step = flow.step("step", Line.class, map, lines -> null);

            assertThatIllegalArgumentException()
                    .isThrownBy(() -> json.arguments(
                            step, "{\"map\": [{\"article\": [], \"count\": 1}]}", JsonTest::noFlowInput, context))
                    .withMessageStartingWith("step 'map' of flow 'misfit' cannot be read: ")
                    .withMessageContaining("\"article\"");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> json.arguments(map, "7", JsonTest::noFlowInput, context))
                    .withMessageStartingWith("an element of step 'list' of flow 'misfit' cannot be read: ");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> json.arguments(list, "{}", () -> "\"x\"", context))
                    .withMessageStartingWith("the input of flow 'misfit' cannot be read: ");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> json.arguments(step, "[]", JsonTest::noFlowInput, context))
                    .withMessage(
                            "the input of step 'step' of flow 'misfit' is no object with a member for each dependency");
        }
    }

    @Nested
    class Arguments {

        private final FlowBuilder<Line> flow = Flow.of("reads", Line.class);
        private final Step<String> a = flow.step("a", String.class, Line::article);
        private final Step<List<Integer>> b = flow.list("b", Integer.class, line -> List.of(line.count()));

        @Test
        void comeInTheOrderOfTheSources() {
            var step = flow.step(
                    "step",
                    String.class,
                    b.optional(),
                    flow.context(),
                    flow.input(),
                    a,
                    (numbers, task, line, article) -> article);

            var arguments = json.arguments(
                    step, "{\"a\": \"x\", \"b\": [1, 2]}", () -> "{\"article\": \"nut\", \"count\": 3}", context);

            assertThat(arguments).isEqualTo(List.of(Optional.of(List.of(1, 2)), context, new Line("nut", 3), "x"));
        }

        @Test
        void ofRootsAreTheRunsInputWhateverTheTaskHas() {
            assertThat(json.arguments(a, "{}", () -> "{\"article\": \"nut\", \"count\": 3}", context))
                    .isEqualTo(List.of(new Line("nut", 3)));
        }

        @Test
        void ofMapsAreTheElementAndTheContext() {
            var map = flow.map("map", String.class, b, flow.context(), (n, task) -> "" + n + task);

            assertThat(json.arguments(map, "7", JsonTest::noFlowInput, context)).isEqualTo(List.of(7, context));
        }

        @Test
        void areEmptyForSkippedStepsReadAsOptional() {
            var step = flow.step("step", String.class, a.optional(), b.optional(), (article, numbers) -> "");

            assertThat(json.arguments(step, "{\"b\": []}", JsonTest::noFlowInput, context))
                    .isEqualTo(List.of(Optional.empty(), Optional.of(List.of())));
            assertThat(json.arguments(step, "{\"a\": null}", JsonTest::noFlowInput, context))
                    .isEqualTo(List.of(Optional.empty(), Optional.empty()));
        }

        @Test
        void areNotMadeUpForSkippedSteps() {
            var step = flow.step("step", String.class, b, a, (numbers, article) -> article);

            assertThatIllegalStateException()
                    .isThrownBy(() -> json.arguments(step, "{\"b\": [1]}", JsonTest::noFlowInput, context))
                    .withMessage(
                            "step 'step' of flow 'reads' reads step 'a', which was skipped: read it with .optional()");
        }

        @Test
        void areNullWhereAStepReturnedNull() {
            var step = flow.step("step", String.class, a, s -> s);

            assertThat(json.arguments(step, "{\"a\": null}", JsonTest::noFlowInput, context))
                    .isEqualTo(Arrays.asList((Object) null));
        }

        @Test
        void passOverWhatNobodyReads() {
            var step = flow.step("step", String.class, a, s -> s);

            assertThat(json.arguments(
                            step,
                            "{\"other\": {\"a\": [\"y\"]}, \"a\": \"x\", \"more\": [{}, 1]}",
                            JsonTest::noFlowInput,
                            context))
                    .isEqualTo(List.of("x"));
        }

        @Test
        void areNotMadeUpForTasksWithoutInput() {
            var step = flow.step("step", String.class, a, s -> s);
            var map = flow.map("map", Integer.class, b, n -> n);

            for (Step<?> dependent : List.of(step, map)) {
                assertThatIllegalStateException()
                        .isThrownBy(() -> json.arguments(dependent, null, JsonTest::noFlowInput, context))
                        .withMessageContaining("came without input");
            }
        }
    }

    @Nested
    class WhatCannotBeStored {

        private final Step<Object> step = rootOf(Object.class);

        static Stream<Object> lone() {
            return Stream.of(
                    "\uD83D",
                    "\uDE80",
                    "a\uD83D\uD83D\uDE80",
                    "\uD83D\\",
                    "\uD83D\"",
                    "\uDE80\uD83D",
                    Map.of("\uD83Dkey", 1),
                    List.of("\uD83D", "\uDE80"));
        }

        @ParameterizedTest
        @MethodSource("lone")
        void isHalfOfASurrogatePair(Object value) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> json.output(step, value))
                    .withMessageStartingWith(
                            "the output of step 'root' of flow 'roots' cannot be stored: it has half of a surrogate pair");
        }

        @Test
        void isTheNulCharacter() {
            for (Object value : List.of("a\0b", "\\\0", List.of(Map.of("k\0", 1)))) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> json.output(step, value))
                        .withMessageStartingWith(
                                "the output of step 'root' of flow 'roots' cannot be stored: it has the NUL character");
            }
        }

        @Test
        void isANumberThatIsNone() {
            for (Object value :
                    List.of(Double.NaN, List.of(1.0, Double.POSITIVE_INFINITY), Map.of("x", Float.NEGATIVE_INFINITY))) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> json.output(step, value))
                        .withMessageContaining("cannot be stored: it has NaN or Infinity");
            }
            assertThat(json.output(step, List.of("NaN", "Infinity"))).isEqualTo("[\"NaN\",\"Infinity\"]");
        }

        @Test
        void isAnObjectWithoutAnyProperty() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> json.output(step, new Object()))
                    .withMessageStartingWith("the output of step 'root' of flow 'roots' cannot be written as JSON: ");
            assertThat(json.output(step, new Empty())).isEqualTo("{}");
        }

        @Test
        void isWhatContainsItself() {
            var circle = new HashMap<String, Object>();
            circle.put("again", List.of(circle));

            assertThatIllegalArgumentException()
                    .isThrownBy(() -> json.output(step, circle))
                    .withMessageContaining("cannot be written as JSON");
        }

        @ParameterizedTest
        @ValueSource(strings = {"\u0001\u001f\u007f", "\uD83D\uDE80\uD83D\uDE80", "\\u0000", "\\\\", "\uFFFF\uFFFE"})
        void isNoOtherText(String text) {
            assertThat(json.<Object>read(json.output(step, text), String.class)).isEqualTo(text);
        }
    }

    @Test
    void aMapperOfTheUsersRules() {
        var own = new Json(JsonMapper.builder()
                .propertyNamingStrategy(PropertyNamingStrategies.UPPER_CAMEL_CASE)
                .build());

        assertThat(own.write(new Line("nut", 1))).isEqualTo("{\"Article\":\"nut\",\"Count\":1}");
        assertThat(own.<Object>read("{\"Article\":\"nut\",\"Count\":1}", Line.class))
                .isEqualTo(new Line("nut", 1));
    }

    @Test
    void setsAreArrays() {
        assertThat(json.write(Set.of(1))).isEqualTo("[1]");
    }
}
