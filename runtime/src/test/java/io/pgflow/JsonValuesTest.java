package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** JSON values arrive in the database, in the next step and at the client as what they were. */
@ExtendWith(TestFlows.Extension.class)
class JsonValuesTest {

    record Values(
            @Nullable String nothing,
            boolean no,
            int zero,
            String empty,
            String digits,
            List<List<Integer>> nested,
            long large,
            BigInteger larger,
            BigDecimal exact,
            String unicode,
            Map<String, Object> object) {}

    private static final Values VALUES = new Values(
            null,
            false,
            0,
            "",
            "123",
            List.of(List.of(), List.of(1, 2)),
            Long.MIN_VALUE,
            BigInteger.TEN.pow(300),
            new BigDecimal("0.12345678901234567890123456789012345678"),
            "ünï\u2028\t\"\\ 漢字 𝄞",
            Map.of());

    @Test
    void surviveAsMembersThroughStepsAndBack(TestFlows flows) throws Exception {
        var flow = Flow.of("members", Values.class);
        var first = flow.step("first", Values.class, values -> values);
        var second = flow.step("second", Values.class, first, values -> values);

        var end = flows.runToEnd(flow.build(), VALUES);

        assertThat(end.of(first)).isEqualTo(VALUES);
        assertThat(end.of(second)).isEqualTo(VALUES);
    }

    @Test
    void surviveAsWholeOutputsAndAsElements(TestFlows flows) throws Exception {
        List<@Nullable Object> values = Arrays.asList(
                null, false, 0, "", "123", List.of(List.of()), Long.MAX_VALUE, BigInteger.TWO.pow(100), "𝄞", Map.of());
        var flow = Flow.of("wholes", Integer.class);
        var list = flow.list("list", Object.class, n -> values);
        var mapped = flow.map("mapped", Object.class, list, value -> value);
        var nothing = flow.step("nothing", Object.class, n -> null);
        var got = flow.step("got", String.class, nothing, mapped, (none, all) -> none + " " + all.equals(values));

        var end = flows.runToEnd(flow.build(), 1);

        assertThat(end.of(mapped)).isEqualTo(values);
        assertThat(end.of(nothing)).isNull();
        assertThat(end.of(got)).isEqualTo("null true");
        assertThat(flows.db()
                        .fetchSingle(
                                "select output::text from pgflow.step_states where run_id = ? and step_slug = 'nothing'",
                                end.id())
                        .get(0))
                .isEqualTo("null");
    }

    @Test
    void thatJsonbCannotHoldFailTheirAttemptAloneAndSaySo(TestFlows flows) throws Exception {
        var builder = Flow.of("unstorable", Integer.class).maxAttempts(1);
        var outputs = new HashMap<Integer, Object>();
        outputs.put(1, "a\u0000b");
        outputs.put(2, "\uD834");
        outputs.put(3, new BigDecimal(BigInteger.ONE, -200_000)); // beyond numeric: the database refuses it
        outputs.put(4, Double.NaN);
        builder.step("give", Object.class, outputs::get);
        var flow = builder.build();
        var client = flows.start(flow).client();

        for (int n : outputs.keySet()) {
            var run = client.start(flow, n);
            flows.await("status = 'failed' from pgflow.runs where run_id = '" + run + "'");
            assertThat(client.read(run))
                    .isInstanceOfSatisfying(
                            RunState.Failed.class,
                            failed -> assertThat(failed.error()).contains("stored"));
        }
        assertThat(flows.queued(flow)).isZero();
    }
}
