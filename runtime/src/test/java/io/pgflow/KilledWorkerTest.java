package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** A worker's process is killed in the middle, and another worker takes over. */
@ExtendWith(TestFlows.Extension.class)
class KilledWorkerTest {

    private static final int ELEMENTS = 200;
    private static final int DONE_BEFORE = 50;
    private static final int SLOTS = 8;
    private static final Duration BEAT = Duration.ofMillis(200);

    /** The process that is killed: does the first elements, and hangs in the others. */
    static final class Victim {
        public static void main(String[] args) throws InterruptedException {
            Workers.connect(args[0], args[1], args[2])
                    .concurrency(SLOTS)
                    .heartbeatInterval(BEAT)
                    .run(flow(n -> {
                        if (n >= DONE_BEFORE) {
                            new CountDownLatch(1).await();
                        }
                        return -n;
                    }));
        }
    }

    private static Flow<List<Integer>> flow(Handler<Integer, Integer> handler) {
        var flow = Flow.ofList("killed", Integer.class);
        var negated = flow.map("negate", Integer.class, flow.input(), handler);
        flow.step(
                "sum",
                Integer.class,
                negated,
                list -> list.stream().mapToInt(Integer::intValue).sum());
        return flow.build();
    }

    @Test
    void isTakenOverWithoutLosingOrRepeatingWhatWasDone(TestFlows flows, PGSimpleDataSource database) throws Exception {
        Set<Integer> calls = ConcurrentHashMap.newKeySet();
        var flow = flow(n -> {
            calls.add(n);
            return -n;
        });
        flows.start(flow).close(); // compiles it
        var victim = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-preview",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Victim.class.getName(),
                        database.getURL(),
                        database.getUser(),
                        Objects.requireNonNullElse(database.getPassword(), ""))
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.INHERIT)
                .start();
        try {
            var input = IntStream.range(0, ELEMENTS).boxed().toList();
            UUID run;
            try (var client = Client.connect(database)) {
                run = client.start(flow, input);
            }
            flows.await(
                    "count(*) filter (where status = 'completed') = %d and count(*) filter (where status = 'started') = %d from pgflow.step_tasks"
                            .formatted(DONE_BEFORE, SLOTS));

            victim.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
            var workers = flows.start(flows.options().heartbeatInterval(BEAT).recoveryInterval(BEAT), flow);
            var end = workers.client().await(run, TestFlows.LIMIT);

            assertThat(end.output()).hasValue("{\"sum\": " + -ELEMENTS * (ELEMENTS - 1) / 2 + "}");
            assertThat(calls)
                    .isEqualTo(IntStream.range(DONE_BEFORE, ELEMENTS).boxed().collect(Collectors.toSet()));
            assertThat(flows.db()
                            .fetchSingle(
                                    "select count(*) from pgflow.step_tasks where requeued_count = 1 and attempts_count = 2")
                            .get(0))
                    .as("tasks that the dead worker had in hand")
                    .isEqualTo((long) SLOTS);
            assertThat(flows.queued(flow)).isZero();
        } finally {
            victim.destroyForcibly();
        }
    }
}
