package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.LogCapture;
import io.pgflow.TestFlows;
import io.pgflow.WorkerEvent.TaskUnresponsive;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Handlers that do what they should not: each costs its own attempt, and neither its neighbours nor the worker. */
@ExtendWith(TestFlows.Extension.class)
class BadHandlersTest {

    private static final int FIVE_MEGABYTES = 5 << 20;

    /** What a handler does, and how the error that is stored begins; empty where the task completes. */
    private enum Deed {
        THROW("java.lang.IllegalStateException: on purpose"),
        THROW_ERROR("java.lang.AssertionError: on purpose"),
        OVERFLOW_THE_STACK("java.lang.StackOverflowError"),
        RETURN_A_CYCLE("java.lang.IllegalArgumentException: the output of step 'do' "),
        RETURN_NUL("java.lang.IllegalArgumentException: the output of step 'do' "),
        RETURN_NOT_A_NUMBER("java.lang.IllegalArgumentException: the output of step 'do' "),
        RETURN_A_HUGE_NUMBER("Its output cannot be stored: [22003] "),
        RETURN_FIVE_MEGABYTES("");

        private final String error;

        Deed(String error) {
            this.error = error;
        }

        String slug() {
            return name().toLowerCase(Locale.ROOT);
        }

        Object result() {
            return switch (this) {
                case THROW -> throw new IllegalStateException("on purpose");
                case THROW_ERROR -> throw new AssertionError("on purpose");
                case OVERFLOW_THE_STACK -> overflow(1);
                case RETURN_A_CYCLE -> {
                    var map = new HashMap<String, Object>();
                    map.put("self", map);
                    yield map;
                }
                case RETURN_NUL -> "a\0b";
                case RETURN_NOT_A_NUMBER -> Double.NaN;
                case RETURN_A_HUGE_NUMBER -> new BigDecimal("1e200000");
                case RETURN_FIVE_MEGABYTES -> "x".repeat(FIVE_MEGABYTES);
            };
        }
    }

    @SuppressWarnings("InfiniteRecursion")
    private static int overflow(int depth) {
        return overflow(depth + 1) + 1;
    }

    /** A flow for each deed, and a good one whose tasks run beside them and are recorded with them, all by one process. */
    @Test
    void costTheirOwnAttemptsAlone(TestFlows flows) {
        var calls = new Calls();
        var good = SumOfSquares.flow("good", calls::add);
        var all = new ArrayList<Flow<Integer>>();
        for (Deed deed : Deed.values()) {
            var builder = Flow.of(deed.slug(), Integer.class).maxAttempts(2);
            builder.step("do", Object.class, builder.input(), builder.context(), (n, task) -> {
                calls.add(task);
                return deed.result();
            });
            all.add(builder.build());
            flows.retryAtOnce(all.getLast());
        }
        all.add(good);
        try (var quiet = LogCapture.of("io.pgflow.internal.TaskRunner")) { // a thousand lines each
            flows.start(flows.options().concurrency(3), all.toArray(Flow<?>[]::new));
            var client = flows.client();
            for (int run = 0; run < 3; run++) {
                all.forEach(flow -> client.start(flow, 20));
            }
            flows.awaitAllEnded();
            assertThat(quiet.messages("handler_failed")).hasSize(3 * 2 * (Deed.values().length - 2));
        }

        SumOfSquares.assertRight(flows.db(), "good", 3);
        for (Deed deed : Deed.values()) {
            assertThat(flows.db().fetch("""
                            select r.status, t.attempts_count, coalesce(t.error_message, ''), coalesce(length(t.output #>> '{}'), 0)
                            from pgflow.runs r join pgflow.step_tasks t using (run_id)
                            where r.flow_slug = ?""", deed.slug()))
                    .as("%s", deed)
                    .hasSize(3)
                    .allSatisfy(task -> {
                        boolean well = deed.error.isEmpty();
                        assertThat(task.get(0)).isEqualTo(well ? "completed" : "failed");
                        assertThat(task.get(1)).isEqualTo(well ? 1 : 2);
                        assertThat(task.get(2, String.class)).startsWith(deed.error);
                        assertThat(task.get(3)).isEqualTo(well ? FIVE_MEGABYTES : 0);
                    });
        }
        var slugs = all.stream().map(Flow::slug).toArray(String[]::new);
        calls.assertOnceAnAttempt(flows.db(), slugs);
        Calls.assertNoneTaken(flows.db(), slugs);
    }

    /** They neither end at their deadlines nor heed an interrupt: their attempts end then, their slots when they do. */
    @Test
    void thatDoNotEndKeepTheirSlotsAndNothingElse(TestFlows flows) throws Exception {
        var calls = new Calls();
        var warnings = new CountDownLatch(2);
        var release = new CountDownLatch(1);
        var together = new CountDownLatch(3);
        var builder = Flow.ofList("never", Integer.class).maxAttempts(1);
        builder.map("element", Integer.class, builder.input(), builder.context(), (n, task) -> {
            calls.add(task);
            while (n < 2 && release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    // as bad handlers do
                }
            }
            if (n == 3) {
                together.countDown();
                together.await(); // opens only while all slots are taken
            }
            return n;
        });
        var flow = builder.build();
        flows.compile(flow);
        flows.db().execute("update pgflow.flows set opt_timeout = 1 where flow_slug = 'never'");
        var worker = flows.start(
                flows.options().concurrency(3).listener(event -> {
                    if (event instanceof TaskUnresponsive) {
                        warnings.countDown();
                    }
                }),
                flow);
        var client = flows.client();

        var run = client.start(flow, List.of(0, 1));
        assertThat(warnings.await(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS))
                .as("two handlers were named")
                .isTrue();
        client.startAll(flow, IntStream.range(0, 20).mapToObj(n -> List.of(2)).toList()); // by the third slot
        flows.awaitAllEnded();

        assertThat(flows.db()
                        .fetch(
                                "select error_message from pgflow.step_tasks where run_id = ? and status = 'failed'",
                                run)
                        .getValues(0, String.class))
                .contains("Task timed out after 1s");
        assertThat(worker.snapshot().getFirst().activeTasks())
                .hasSize(2)
                .allSatisfy(task -> assertThat(task.interrupted()).isTrue());
        assertThat(worker.snapshot().getFirst().freeSlots()).isLessThan(2);

        release.countDown();
        flows.db().execute("update pgflow.flows set opt_timeout = 60 where flow_slug = 'never'");
        assertThat(client.await(client.start(flow, List.of(3, 3, 3)), TestFlows.LIMIT)
                        .output())
                .as("by all slots, which have come back")
                .hasValue("{\"element\": [3, 3, 3]}");
        calls.assertOnceEach(flows.db(), "never");
    }
}
