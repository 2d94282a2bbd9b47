package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.TaskContext;
import java.util.stream.IntStream;
import org.jooq.DSLContext;

/** The flow of the trials, with all kinds of steps: n numbers, a task for each of them, and the sum of what those give; n + 2 tasks a run. */
final class SumOfSquares {

    /** What the handlers do before their work. */
    @FunctionalInterface
    interface Before {
        void handle(TaskContext task) throws Exception;
    }

    private SumOfSquares() {}

    static Flow<Integer> flow(String slug, Before before) {
        var flow = Flow.of(slug, Integer.class);
        var numbers = flow.list("numbers", Integer.class, flow.input(), flow.context(), (n, task) -> {
            before.handle(task);
            return IntStream.range(0, n).boxed().toList();
        });
        var squares = flow.map("square", Integer.class, numbers, flow.context(), (n, task) -> {
            before.handle(task);
            return n * n;
        });
        flow.step("sum", Integer.class, squares, flow.context(), (list, task) -> {
            before.handle(task);
            return list.stream().mapToInt(Integer::intValue).sum();
        });
        return flow.build();
    }

    /** Every run of the flow has completed, and with the right sum. */
    static void assertRight(DSLContext db, String slug, int runs) {
        var outputs = db.fetch(
                "select input::text::int, output ->> 'sum' from pgflow.runs where flow_slug = ? and status = 'completed'",
                slug);
        assertThat(outputs).hasSize(runs).allSatisfy(run -> {
            int n = run.get(0, Integer.class);
            assertThat(run.get(1, Integer.class)).isEqualTo((n - 1) * n * (2 * n - 1) / 6);
        });
    }
}
