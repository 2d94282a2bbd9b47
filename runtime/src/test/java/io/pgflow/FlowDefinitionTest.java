package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FlowDefinitionTest {

    record Order(String id, int total) {}

    private final FlowBuilder<Order> flow = Flow.of("orders", Order.class);

    private static void assertBreach(ThrowingCallable definition, @Nullable String step, String rule) {
        assertThatExceptionOfType(PgflowException.InvalidFlow.class)
                .isThrownBy(definition)
                .satisfies(e -> assertThat(e.step()).isEqualTo(Optional.ofNullable(step)))
                .satisfies(e -> assertThat(e.rule()).contains(rule))
                .satisfies(e -> assertThat(e).hasMessageContaining("flow '" + e.flow() + "'"));
    }

    @Nested
    class Steps {

        @Test
        void dependOnTheStepsTheyReadEachOnceInOrder() {
            var a = flow.step("a", String.class, Order::id);
            var b = flow.step("b", Integer.class, Order::total);
            var c = flow.step(
                    "c",
                    String.class,
                    List.of(b, flow.input(), a, flow.context(), b.optional()),
                    in -> in.get(a) + in.get(b));

            assertThat(a.dependencies()).isEmpty();
            assertThat(c.dependencies()).containsExactly(b, a);
            assertThat(flow.build().steps()).containsExactly(a, b, c);
        }

        @Test
        void areFoundBySlug() {
            var a = flow.step("a", String.class, Order::id);

            Flow<Order> built = flow.build();

            assertThat(built.step("a")).contains(a);
            assertThat(built.step("b")).isEmpty();
        }

        @Test
        void thatReadOnlyInputAndContextAreRoots() {
            var step = flow.step(
                    "a", String.class, flow.input(), flow.context(), (order, task) -> order.id() + task.attempt());

            assertThat(step.dependencies()).isEmpty();
            assertThat(step.sources()).containsExactly(flow.input(), flow.context());
        }

        @Test
        void mayReadNothing() throws Exception {
            var step = flow.step("a", String.class, List.of(), in -> "nothing");

            assertThat(step.dependencies()).isEmpty();
            assertThat(step.invoke(List.of())).isEqualTo("nothing");
        }

        @Test
        void callTheirHandlersWithTheArgumentsOfTheirSources() throws Exception {
            var order = new Order("o1", 3);
            var one = flow.step("one", String.class, flow.input(), Order::id);
            var two = flow.step("two", String.class, one, one, (a, b) -> a + b);
            var three = flow.step("three", String.class, one, two, flow.input(), (a, b, in) -> a + b + in.id());
            var four = flow.step(
                    "four", String.class, one, two, three, flow.input(), (a, b, c, in) -> a + b + c + in.total());
            var all = flow.step(
                    "all", String.class, List.of(one, four.optional()), in -> in.get(one) + in.get(four.optional()));

            assertThat(one.invoke(List.of(order))).isEqualTo("o1");
            assertThat(two.invoke(List.of("x", "x"))).isEqualTo("xx");
            assertThat(three.invoke(List.of("x", "y", order))).isEqualTo("xyo1");
            assertThat(four.invoke(List.of("x", "y", "z", order))).isEqualTo("xyz3");
            assertThat(all.invoke(List.of("x", Optional.of("y")))).isEqualTo("xOptional[y]");
        }

        @Test
        void withListsTakeUpToFourSourcesToo() throws Exception {
            var order = new Order("o1", 3);
            var root = flow.list("root", String.class, in -> List.of(in.id()));
            var one = flow.list("one", String.class, root, ids -> ids);
            var two = flow.list("two", String.class, root, one, (a, b) -> a);
            var three = flow.list("three", String.class, root, one, two, (a, b, c) -> b);
            var four = flow.list("four", String.class, root, one, two, three, (a, b, c, d) -> d);
            var all = flow.list("all", String.class, List.of(root, four), in -> in.get(four));

            assertThat(root.invoke(List.of(order))).isEqualTo(List.of("o1"));
            assertThat(one.invoke(List.of(List.of("x")))).isEqualTo(List.of("x"));
            assertThat(two.invoke(List.of(List.of("1"), List.of("2")))).isEqualTo(List.of("1"));
            assertThat(three.invoke(List.of(List.of("1"), List.of("2"), List.of("3"))))
                    .isEqualTo(List.of("2"));
            assertThat(four.invoke(List.of(List.of("1"), List.of("2"), List.of("3"), List.of("4"))))
                    .isEqualTo(List.of("4"));
            assertThat(all.invoke(List.of(List.of("1"), List.of("2")))).isEqualTo(List.of("2"));
        }

        @Test
        void handOnTheNullOfAnEarlierStep() throws Exception {
            var nothing = flow.step("nothing", String.class, order -> null);
            var reader = flow.step("reader", Boolean.class, nothing, text -> text == null);

            assertThat(nothing.invoke(List.of(new Order("o1", 3)))).isNull();
            assertThat(reader.invoke(Arrays.asList((Object) null))).isEqualTo(true);
        }

        @Test
        void letOutWhatTheirHandlersThrow() {
            var failing = flow.step("failing", String.class, order -> {
                throw new InterruptedException("as it is");
            });

            assertThatExceptionOfType(InterruptedException.class)
                    .isThrownBy(() -> failing.invoke(List.of(new Order("o1", 3))))
                    .withMessage("as it is");
        }

        @Test
        void refuseAnotherNumberOfArguments() {
            var step = flow.step("a", String.class, Order::id);

            assertThatIllegalArgumentException()
                    .isThrownBy(() -> step.invoke(List.of()))
                    .withMessage("step 'a' of flow 'orders' reads 1 sources; 0 values came");
        }

        @Test
        void getOnlyWhatTheyName() {
            var a = flow.step("a", String.class, Order::id);
            var b = flow.step("b", String.class, List.of(flow.input()), in -> in.get(a));

            assertThatIllegalArgumentException()
                    .isThrownBy(() -> b.invoke(List.of(new Order("o1", 3))))
                    .withMessageContaining("step 'b' of flow 'orders' does not read step 'a'");
        }

        @Test
        void tellTheTypesTheyOutput() {
            var single = flow.step("single", int.class, Order::total);
            var list = flow.list("list", Order.class, in -> List.of(in));
            var map = flow.map("map", String.class, list, Order::id);

            assertThat(single.type()).isEqualTo(Integer.class);
            assertThat(single.elementType()).isEmpty();
            assertThat(single.taskType()).isEqualTo(Integer.class);
            assertThat(list.type()).hasToString("java.util.List<" + Order.class.getTypeName() + ">");
            assertThat(list.elementType()).contains(Order.class);
            assertThat(list.taskType()).isEqualTo(list.type());
            assertThat(map.type()).hasToString("java.util.List<java.lang.String>");
            assertThat(map.elementType()).contains(String.class);
            assertThat(map.taskType()).isEqualTo(String.class);
        }

        @Test
        void mustHaveSlugsOfTheirOwn() {
            flow.step("a", String.class, Order::id);

            assertBreach(() -> flow.step("a", String.class, Order::id), "a", "another step of this slug");
        }

        @Test
        void mustReadWhatTheirOwnBuilderGave() {
            var other = Flow.of("other", Order.class);
            var stranger = other.step("stranger", String.class, Order::id);

            assertBreach(() -> flow.step("a", String.class, stranger, s -> s), "a", "step 'stranger' of flow 'other'");
            assertBreach(
                    () -> flow.step("b", String.class, stranger.optional(), s -> "b"),
                    "b",
                    "step 'stranger' of flow 'other'");
            assertBreach(
                    () -> flow.step("c", String.class, other.input(), Order::id), "c", "the input of flow 'other'");
        }

        @Test
        void mustNotReadAStepOfAnotherBuilderForTheSameFlow() {
            var stranger = Flow.of("orders", Order.class).step("a", String.class, Order::id);

            assertBreach(() -> flow.step("b", String.class, stranger, s -> s), "b", "not of this definition");
        }
    }

    @Nested
    class Maps {

        @Test
        void takeTheElementsOfAnEarlierStep() throws Exception {
            var list = flow.list("list", Integer.class, order -> List.of(order.total()));
            var map = flow.map("map", Integer.class, list, n -> n * 2);
            var mapOfMap = flow.map("map_of_map", String.class, map, n -> "=" + n);

            assertThat(map.isMap()).isTrue();
            assertThat(list.isMap()).isFalse();
            assertThat(map.dependencies()).containsExactly(list);
            assertThat(map.invoke(List.of(21))).isEqualTo(42);
            assertThat(mapOfMap.dependencies()).containsExactly(map);
            assertThat(mapOfMap.invoke(List.of(42))).isEqualTo("=42");
        }

        @Test
        void takeTheElementsOfTheInputAsRoots() throws Exception {
            var numbers = Flow.ofList("numbers", Integer.class);
            var map = numbers.map("map", Integer.class, numbers.input(), n -> n + 1);

            assertThat(numbers.build().inputType()).hasToString("java.util.List<java.lang.Integer>");
            assertThat(map.dependencies()).isEmpty();
            assertThat(map.invoke(List.of(1))).isEqualTo(2);
        }

        @Test
        void mayReadTheContextToo() throws Exception {
            var list = flow.list("list", Integer.class, order -> List.of(order.total()));
            var map = flow.map("map", String.class, list, flow.context(), (n, task) -> n + "@" + task);

            assertThat(map.sources()).containsExactly(list, flow.context());
            assertThat(map.dependencies()).containsExactly(list);
            assertThat(map.invoke(Arrays.asList(1, null))).isEqualTo("1@null");
        }

        @Test
        @SuppressWarnings("unchecked")
        void mustReadAList() {
            var single = flow.step("single", Object.class, Order::id);
            var cast = (Source<List<Object>>) (Source<?>) single;

            assertBreach(() -> flow.map("map", String.class, cast, Object::toString), "map", "a map reads a list");
        }
    }

    @Nested
    class Slugs {

        @ParameterizedTest
        @ValueSource(strings = {"", "9lives", "test-slug", "test slug", "é", "a\n", "a.b"})
        void mustBeIdentifiers(String slug) {
            assertBreach(() -> Flow.of(slug, Order.class), null, "a slug is made of");
            assertBreach(() -> flow.step(slug, String.class, Order::id), slug, "a slug is made of");
        }

        @ParameterizedTest
        @ValueSource(strings = {"a", "_", "Test_9", "runs", "RUN"})
        void mayBeAnyIdentifier(String slug) {
            flow.step(slug, String.class, Order::id);

            assertThat(Flow.of(slug, Order.class)
                            .step(slug, String.class, Order::id)
                            .flowSlug())
                    .isEqualTo(slug);
        }

        @Test
        void mustNotBeTheReservedOne() {
            assertBreach(() -> Flow.of("run", Order.class), null, "'run' is reserved");
            assertBreach(() -> flow.step("run", String.class, Order::id), "run", "'run' is reserved");
        }

        @Test
        void ofFlowsHaveAtMost47Characters() {
            assertThat(Flow.of("f".repeat(47), Order.class)).isNotNull();
            assertBreach(() -> Flow.of("f".repeat(48), Order.class), null, "at most 47 characters; this one has 48");
        }

        @Test
        void ofStepsHaveAtMost128Characters() {
            flow.step("s".repeat(128), String.class, Order::id);

            assertBreach(
                    () -> flow.step("s".repeat(129), String.class, Order::id),
                    "s".repeat(129),
                    "at most 128 characters; this one has 129");
        }
    }

    @Nested
    class Options {

        private final Step<String> step = flow.step("a", String.class, Order::id);

        @Test
        void leftOutAreTheDatabases() {
            Flow<Order> built = flow.build();

            assertThat(built.maxAttempts()).isEmpty();
            assertThat(built.baseDelay()).isEmpty();
            assertThat(built.timeout()).isEmpty();
            assertThat(step.maxAttempts()).isEmpty();
            assertThat(step.baseDelay()).isEmpty();
            assertThat(step.timeout()).isEmpty();
            assertThat(step.startDelay()).isEmpty();
            assertThat(step.onlyIf()).isEmpty();
            assertThat(step.unless()).isEmpty();
            assertThat(step.whenUnmet()).isEqualTo(Otherwise.SKIP);
            assertThat(step.whenExhausted()).isEqualTo(Otherwise.FAIL);
        }

        @Test
        void areKeptAsSet() {
            step.maxAttempts(1)
                    .baseDelay(Duration.ofSeconds(1))
                    .timeout(Duration.ofSeconds(3))
                    .startDelay(Duration.ZERO)
                    .onlyIf(Map.of("id", "o1"))
                    .unless(Map.of("total", 0))
                    .whenUnmet(Otherwise.FAIL)
                    .whenExhausted(Otherwise.SKIP_CASCADE);
            Flow<Order> built = flow.maxAttempts(5)
                    .baseDelay(Duration.ofMinutes(1))
                    .timeout(Duration.ofHours(2))
                    .build();

            assertThat(built.maxAttempts()).isEqualTo(OptionalInt.of(5));
            assertThat(built.baseDelay()).contains(Duration.ofMinutes(1));
            assertThat(built.timeout()).contains(Duration.ofHours(2));
            assertThat(step.maxAttempts()).isEqualTo(OptionalInt.of(1));
            assertThat(step.baseDelay()).contains(Duration.ofSeconds(1));
            assertThat(step.timeout()).contains(Duration.ofSeconds(3));
            assertThat(step.startDelay()).contains(Duration.ZERO);
            assertThat(step.onlyIf()).contains("{\"id\":\"o1\"}");
            assertThat(step.unless()).contains("{\"total\":0}");
            assertThat(step.whenUnmet()).isEqualTo(Otherwise.FAIL);
            assertThat(step.whenExhausted()).isEqualTo(Otherwise.SKIP_CASCADE);
        }

        @Test
        void haveLowerBounds() {
            assertBreach(() -> step.maxAttempts(0), "a", "max attempts are at least 1, not 0");
            assertBreach(
                    () -> step.baseDelay(Duration.ZERO),
                    "a",
                    "base delay is whole seconds, from 1 to 2^31 - 1, not PT0S");
            assertBreach(
                    () -> step.timeout(Duration.ofSeconds(2)), "a", "timeout is whole seconds, from 3 to 2^31 - 1");
            assertBreach(
                    () -> step.startDelay(Duration.ofSeconds(-1)),
                    "a",
                    "start delay is whole seconds, from 0 to 2^31 - 1");
            assertBreach(() -> flow.maxAttempts(0), null, "max attempts are at least 1, not 0");
            assertBreach(() -> flow.baseDelay(Duration.ZERO), null, "base delay is whole seconds, from 1 to 2^31 - 1");
            assertBreach(
                    () -> flow.timeout(Duration.ofSeconds(2)), null, "timeout is whole seconds, from 3 to 2^31 - 1");
        }

        @Test
        void areWholeSecondsThatTheDatabaseCanHold() {
            assertBreach(
                    () -> step.timeout(Duration.ofMillis(3_500)), "a", "whole seconds, from 3 to 2^31 - 1, not PT3.5S");
            assertBreach(() -> flow.baseDelay(Duration.ofDays(365 * 100)), null, "from 1 to 2^31 - 1, not PT876000H");
        }

        @Test
        void cannotBeSetAfterwards() {
            flow.build();

            for (ThrowingCallable late : List.<ThrowingCallable>of(
                    () -> step.maxAttempts(1),
                    () -> step.whenUnmet(Otherwise.FAIL),
                    () -> step.onlyIf(Map.of()),
                    () -> flow.timeout(Duration.ofSeconds(3)),
                    () -> flow.step("b", String.class, Order::id),
                    flow::build)) {
                assertThatIllegalStateException()
                        .isThrownBy(late)
                        .withMessage(
                                "flow 'orders' is built and cannot be changed: set steps and options before build()");
            }
        }
    }

    @Nested
    class Conditions {

        record Wanted(@Nullable String id, @Nullable Integer total) {}

        private final Step<String> step = flow.step("a", String.class, Order::id);

        @Test
        void ofRecordsLeaveOutWhatIsNull() {
            step.onlyIf(new Wanted("o1", null));

            assertThat(step.onlyIf()).contains("{\"id\":\"o1\"}");
        }

        @Test
        void ofMapsKeepTheirNulls() {
            var pattern = new HashMap<String, @Nullable Object>();
            pattern.put("id", null);

            assertThat(step.onlyIf(pattern).onlyIf()).contains("{\"id\":null}");
        }

        @Test
        void mustBeJsonObjects() {
            assertBreach(() -> step.onlyIf("{}"), "a", "java.lang.String: it is of type STRING");
            assertBreach(() -> step.unless(List.of()), "a", "a condition's pattern is a JSON object");
        }

        @Test
        void cannotLookIntoAListGivenAsInput() {
            var numbers = Flow.ofList("numbers", Integer.class);
            var map = numbers.map("map", Integer.class, numbers.input(), n -> n);

            assertBreach(() -> map.onlyIf(Map.of("total", 1)), "map", "the run's input, which is a list");
        }

        @Test
        void ofStepsWithDependenciesLookAtThoseBySlug() {
            var b = flow.step("b", String.class, step, s -> s);

            assertThat(b.onlyIf(Map.of("a", Map.of())).onlyIf()).contains("{\"a\":{}}");
            assertBreach(
                    () -> b.onlyIf(Map.of("id", "o1")),
                    "b",
                    "with the members [a], one a dependency; the pattern has [id]");
        }
    }

    @Nested
    class WhatMayBeSkipped {

        private final Step<List<Integer>> maybe = flow.list("maybe", Integer.class, order -> List.of(order.total()));

        @Test
        void forWantOfItsConditionIsNotReadAsIfItWereThere() {
            maybe.onlyIf(Map.of("total", 1));
            flow.step("reader", Integer.class, maybe, List::size);

            assertBreach(
                    flow::build, "reader", "it reads step 'maybe', which may be skipped: read it with .optional()");
        }

        @Test
        void afterItsAttemptsIsNotReadAsIfItWereThere() {
            maybe.whenExhausted(Otherwise.SKIP);
            flow.step("reader", Integer.class, maybe, List::size);

            assertBreach(flow::build, "reader", "may be skipped");
        }

        @Test
        void isReadAsOptional() {
            maybe.unless(Map.of("total", 1));
            flow.step(
                    "reader",
                    Integer.class,
                    maybe.optional(),
                    list -> list.map(List::size).orElse(0));

            assertThat(flow.build().steps()).hasSize(2);
        }

        @Test
        void leavesAMapWithoutElements() {
            maybe.unless(Map.of("total", 1));
            flow.map("reader", Integer.class, maybe, n -> n);

            assertThat(flow.build().steps()).hasSize(2);
        }

        @Test
        void isReadAsItIsWhereItsReadersAreSkippedWithIt() {
            maybe.onlyIf(Map.of("total", 1)).whenUnmet(Otherwise.SKIP_CASCADE).whenExhausted(Otherwise.SKIP_CASCADE);
            flow.step("reader", Integer.class, maybe, List::size);

            assertThat(flow.build().steps()).hasSize(2);
        }
    }

    @Test
    void aFlowHasSteps() {
        assertBreach(flow::build, null, "at least one step");
    }

    @Test
    void theExampleIsAFlow() throws Exception {
        var example = FulfilOrder.flow(
                (order, total) -> new FulfilOrder.Payment(order + ":" + total),
                line -> new FulfilOrder.Reservation(line.article(), line.count()));

        assertThat(example.steps())
                .extracting(Step::slug)
                .containsExactly("validate", "charge", "lines", "reserve", "confirm");
        assertThat(example.step("confirm").orElseThrow().invoke(List.of(new FulfilOrder.Payment("p1"), List.of(1, 2))))
                .isEqualTo(new FulfilOrder.Confirmation("p1", 2));
    }
}
