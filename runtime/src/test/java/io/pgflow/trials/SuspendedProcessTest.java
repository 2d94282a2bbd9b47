package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.RunState;
import io.pgflow.TestFlows;
import io.pgflow.Workers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** A process stands still for longer than its lease, and goes on as if nothing had happened. */
@ExtendWith(TestFlows.Extension.class)
class SuspendedProcessTest {

    private static final int ELEMENTS = 8;
    private static final Duration BEAT = Duration.ofMillis(200);

    /** The process that is suspended: has all elements in hand until it is told to end them. */
    static final class Sleeper {
        public static void main(String[] args) {
            var go = new CountDownLatch(1);
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    if (System.in.read() >= 0) {
                        go.countDown();
                    }
                } catch (java.io.IOException e) {
                    // no input: killed
                }
            });
            Workers.connect(args[0], args[1], args[2])
                    .concurrency(ELEMENTS)
                    .heartbeatInterval(BEAT)
                    .run(flow("late", go));
        }
    }

    private static Flow<List<Integer>> flow(String result, CountDownLatch go) {
        var flow = Flow.ofList("suspended", Integer.class);
        flow.map("element", String.class, flow.input(), n -> {
            go.await();
            return result;
        });
        return flow.build();
    }

    @Test
    void changesNothingWithItsLateResultsAndWorksOn(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("in time", new CountDownLatch(0));
        flows.db().execute(flow.toSql());
        try (var sleeper = WorkerProcess.start(Sleeper.class, database, List.of())) {
            flows.await("count(*) = 1 from pgflow.workers where queue_name = 'suspended'");
            var client = flows.client();
            var input = IntStream.range(0, ELEMENTS).boxed().toList();
            var run = client.start(flow, input);
            flows.await("count(*) = " + ELEMENTS + " from pgflow.step_tasks where status = 'started'");

            sleeper.suspend();
            var other = flows.start(flows.options().heartbeatInterval(BEAT).recoveryInterval(BEAT), flow);
            var end = client.await(run, TestFlows.LIMIT);
            other.close();
            sleeper.say("go");
            sleeper.resume();
            for (int late = 0; late < ELEMENTS; late++) {
                sleeper.awaitLine("event=report_late");
            }

            assertThat(end.output())
                    .hasValueSatisfying(
                            output -> assertThat(output).contains("in time").doesNotContain("late"));
            assertThat(client.read(run)).isInstanceOfSatisfying(RunState.Completed.class, now -> {
                assertThat(now.output()).isEqualTo(end.output());
                assertThat(now.completedAt()).isEqualTo(end.completedAt());
            });
            assertThat(client.await(client.start(flow, input), TestFlows.LIMIT).output())
                    .as("of a run that only the one that was suspended can work on")
                    .hasValueSatisfying(output -> assertThat(output).contains("late"));
        }
        flows.awaitAllEnded();
    }
}
