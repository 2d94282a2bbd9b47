package io.pgflow.examples.bench;

import io.pgflow.Client;
import io.pgflow.Flow;
import io.pgflow.Workers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;

/**
 * Measures the throughput of single-step runs whose handler does nothing: {@code ./examples/bench [RUNS]}. First all runs are
 * started, then workers drain them, on the database of {@code PGFLOW_DATABASE_URL} or the embedded one, both as shipped.
 */
public final class Bench {

    private static final int SLOTS = 400;
    private static final int STARTED_AT_ONCE = 1_000;

    /** More than may wait to be recorded when the last handler has ended. */
    private static final int UNRECORDED = 2 * SLOTS;

    private static final Duration LIMIT = Duration.ofMinutes(10);

    private Bench() {}

    /**
     * Measures, and prints a line for each figure.
     *
     * @param args how many runs, 50,000 if left out
     * @throws InterruptedException never: nobody interrupts it
     */
    public static void main(String[] args) throws InterruptedException {
        int runs = args.length == 0 ? 50_000 : Integer.parseInt(args[0]);
        System.out.printf(
                "%d CPUs, Java %s, %d slots%n", Runtime.getRuntime().availableProcessors(), Runtime.version(), SLOTS);
        measure("warm-up", Math.max(1, runs / 5));
        measure("no-op single-step runs", runs);
    }

    private static void measure(String name, int runs) throws InterruptedException {
        var allStarted = new CountDownLatch(1); // until then the slots are taken, and the queue fills
        var ended = new CountDownLatch(runs);
        var builder = Flow.of("bench_single", Integer.class);
        builder.step("only", Integer.class, n -> {
            allStarted.await();
            ended.countDown();
            return n;
        });
        var flow = builder.build();

        try (var workers = Workers.connect().concurrency(SLOTS).start(flow)) {
            long began = System.nanoTime();
            List<UUID> ids = start(workers.client(), flow, runs);
            double starting = seconds(began);

            began = System.nanoTime();
            allStarted.countDown();
            ended.await();
            for (UUID id : ids.subList(Math.max(0, ids.size() - UNRECORDED), ids.size())) {
                workers.client().await(id, LIMIT);
            }
            double draining = seconds(began);
            System.out.printf(
                    "%s: %,d started at %,.0f/s, drained at %,.0f/s%n", name, runs, runs / starting, runs / draining);
        }
    }

    private static List<UUID> start(Client client, Flow<Integer> flow, int runs) {
        var ids = new ArrayList<UUID>();
        while (ids.size() < runs) {
            ids.addAll(client.startAll(flow, Collections.nCopies(Math.min(STARTED_AT_ONCE, runs - ids.size()), 1)));
        }
        return ids;
    }

    private static double seconds(long began) {
        return (System.nanoTime() - began) / 1e9;
    }
}
