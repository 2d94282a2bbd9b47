package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two workers share a queue. */
@ExtendWith(TestFlows.Extension.class)
class TwoWorkersTest {

    private static final int TASKS = 10_000;

    @Test
    void runEachOfTenThousandTasksOnce(TestFlows flows) throws Exception {
        var calls = new AtomicIntegerArray(TASKS);
        var builder = Flow.of("shared", Integer.class);
        builder.step("once", Integer.class, n -> {
            calls.incrementAndGet(n);
            return n;
        });
        var flow = builder.build();
        var one = flows.start(flows.options().concurrency(100), flow);
        flows.start(flows.options().concurrency(100), flow);

        var numbers = IntStream.range(0, TASKS).boxed().toList();
        for (int from = 0; from < TASKS; from += 1000) {
            one.client().startAll(flow, numbers.subList(from, from + 1000));
        }
        flows.await("not exists (select from pgflow.runs where status = 'started')");

        assertThat(IntStream.range(0, TASKS).map(calls::get).boxed().toList()).isEqualTo(Collections.nCopies(TASKS, 1));
        var counts = flows.db().fetchSingle("""
                select count(*) filter (where t.status = 'completed' and t.attempts_count = 1 and t.output = r.input),
                       count(distinct t.last_worker_id)
                from pgflow.step_tasks t join pgflow.runs r using (run_id)
                where r.status = 'completed'
                """);
        assertThat(counts.get(0)).isEqualTo((long) TASKS);
        assertThat(counts.get(1)).as("workers that took part").isEqualTo(2L);
        assertThat(flows.queued(flow)).isZero();
    }
}
