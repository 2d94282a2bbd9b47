package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.Handler;
import io.pgflow.TestFlows;
import io.pgflow.Workers;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** Heartbeats every 4 s, sweeps every 5 s: what users get who set nothing. */
@ExtendWith(TestFlows.Extension.class)
@Tag("long")
class DefaultSettingsTest {

    private static final int VICTIMS = 3;
    private static final int SLOTS = 2;

    /** Generous, for slow machines; 17 s and what the machine takes are to be expected: three beats and a sweep. */
    private static final Duration AT_THE_LATEST = Duration.ofSeconds(60);

    /** A process that takes tasks and ends none. */
    static final class Victim {
        public static void main(String[] args) {
            Workers.connect(args[0], args[1], args[2])
                    .workerId(UUID.fromString(args[3]))
                    .concurrency(SLOTS)
                    .run(flow(n -> {
                        new CountDownLatch(1).await();
                        return n;
                    }));
        }
    }

    private static Flow<List<Integer>> flow(Handler<Integer, Integer> handler) {
        var builder = Flow.ofList("default_settings", Integer.class).timeout(Duration.ofMinutes(10));
        builder.map("element", Integer.class, builder.input(), handler);
        return builder.build();
    }

    /** Killed at different times between two beats. */
    @Test
    void bringTheTasksOfKilledProcessesToAnotherSoon(TestFlows flows, PGSimpleDataSource database) throws Exception {
        Map<Integer, Long> runAgain = new ConcurrentHashMap<>();
        var flow = flow(n -> {
            runAgain.put(n, System.nanoTime());
            return n;
        });
        flows.compile(flow);
        Map<UUID, WorkerProcess> victims = new HashMap<>();
        Map<UUID, Long> killed = new HashMap<>();
        try {
            for (int n = 0; n < VICTIMS; n++) {
                var id = UUID.randomUUID();
                victims.put(id, WorkerProcess.start(Victim.class, database, List.of(), id.toString()));
            }
            flows.client()
                    .start(flow, IntStream.range(0, VICTIMS * SLOTS).boxed().toList());
            flows.await("count(*) = " + VICTIMS * SLOTS + " from pgflow.step_tasks where status = 'started'");
            var owners = flows.db()
                    .fetch("select task_index, last_worker_id from pgflow.step_tasks")
                    .intoMap(row -> row.get(0, Integer.class), row -> row.get(1, UUID.class));
            flows.start(flow);
            LockSupport.parkNanos(Duration.ofSeconds(15).toNanos()); // after which it judges others' heartbeats

            for (var victim : victims.entrySet()) {
                killed.put(victim.getKey(), System.nanoTime());
                victim.getValue().kill();
                LockSupport.parkNanos(Duration.ofMillis(1_300).toNanos());
            }
            flows.awaitAllEnded();

            var took = owners.entrySet().stream()
                    .map(owner -> Duration.ofNanos(time(runAgain, owner.getKey()) - time(killed, owner.getValue())))
                    .sorted()
                    .toList();
            System.out.println("tasks of killed processes ran elsewhere after " + took);
            assertThat(took)
                    .hasSize(VICTIMS * SLOTS)
                    .last()
                    .satisfies(longest -> assertThat(longest).isBetween(Duration.ZERO, AT_THE_LATEST));
        } finally {
            victims.values().forEach(WorkerProcess::close);
        }
    }

    private static <K> long time(Map<K, Long> times, K of) {
        return Objects.requireNonNull(times.get(of), "the time of " + of);
    }
}
