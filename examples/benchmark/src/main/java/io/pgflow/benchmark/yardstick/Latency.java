package io.pgflow.benchmark.yardstick;

import io.pgflow.Flow;
import io.pgflow.RunningWorkers;
import io.pgflow.benchmark.Figure.Name;
import io.pgflow.benchmark.Measurement;
import io.pgflow.benchmark.Results;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.contenders.PgFlow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * How long a run waits for a worker that has nothing else to do. Starts are apart by 50 to 400 ms, so that each finds the worker waiting, and none comes in
 * step with the worker's clocks.
 *
 * @param starts how many in a round
 */
record Latency(Server server, Results results, int starts) {
    private static final String SECTION = "Latency of an idle worker";

    /** What a worker has by default. */
    private static final int SLOTS = 10;

    private static final Duration LIMIT = Duration.ofMinutes(1);

    static final String TO_HANDLER = "start to handler";
    static final String STEP_TO_STEP = "step to step in a chain";
    static final String TO_END = "start to end of a one-step run, as the client sees it";

    List<Measurement> measurements() {
        return List.of(new Measurement(SECTION, "starts at random times", this::measure));
    }

    static Name name(String what, int percentile) {
        return new Name(SECTION, what, "p" + percentile);
    }

    /** When the handlers of one run began and ended, by {@link System#nanoTime}. */
    private static final class Times {
        final CompletableFuture<Long> firstBegan = new CompletableFuture<>();
        final CompletableFuture<Long> firstEnded = new CompletableFuture<>();
        final CompletableFuture<Long> secondBegan = new CompletableFuture<>();
    }

    private void measure() throws Exception {
        var times = new ArrayList<Times>();
        for (int i = 0; i < starts; i++) {
            times.add(new Times());
        }
        var toHandler = new ArrayList<Double>();
        var stepToStep = new ArrayList<Double>();
        var toEnd = new ArrayList<Double>();
        var single = single(times);
        var chain = chain(times);
        try (var database = server.create("latency");
                var workers = PgFlow.workers(database, SLOTS, single, chain)) {
            warmUp(workers, single, chain);
            var random = new Random(1);
            for (int i = 0; i < starts; i++) {
                Thread.sleep(random.nextInt(50, 401));
                boolean chained = i % 2 == 1;
                boolean awaited = !chained;
                long began = System.nanoTime();
                var run = workers.client().start(chained ? chain : single, i);
                if (awaited) {
                    workers.client().await(run, LIMIT);
                    toEnd.add((System.nanoTime() - began) / 1e6);
                }
                var seen = times.get(i);
                toHandler.add((at(seen.firstBegan) - began) / 1e6);
                if (chained) {
                    stepToStep.add((at(seen.secondBegan) - at(seen.firstEnded)) / 1e6);
                }
            }
        }
        add(TO_HANDLER, toHandler);
        add(STEP_TO_STEP, stepToStep);
        add(TO_END, toEnd);
    }

    private static long at(CompletableFuture<Long> time) throws Exception {
        return time.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    /** Ten times as many at once, so that the JVM knows its code, and some one by one. */
    private void warmUp(RunningWorkers workers, Flow<Integer> single, Flow<Integer> chain) throws InterruptedException {
        for (var flow : List.of(single, chain)) {
            for (int i = 0; i < 10 * starts; i++) {
                workers.client().start(flow, -1);
            }
            for (int i = 0; i < Math.min(20, starts); i++) {
                workers.client().await(workers.client().start(flow, -1), LIMIT);
            }
        }
    }

    private static Flow<Integer> single(List<Times> times) {
        var flow = Flow.of("single", Integer.class);
        flow.step("a", Integer.class, i -> {
            if (i >= 0) {
                times.get(i).firstBegan.complete(System.nanoTime());
            }
            return i;
        });
        return flow.build();
    }

    private static Flow<Integer> chain(List<Times> times) {
        var flow = Flow.of("chain", Integer.class);
        var a = flow.step("a", Integer.class, i -> {
            if (i >= 0) {
                times.get(i).firstBegan.complete(System.nanoTime());
                times.get(i).firstEnded.complete(System.nanoTime());
            }
            return i;
        });
        var b = flow.step("b", Integer.class, a, i -> {
            if (i >= 0) {
                times.get(i).secondBegan.complete(System.nanoTime());
            }
            return i;
        });
        flow.step("c", Integer.class, b, i -> i);
        return flow.build();
    }

    private void add(String what, List<Double> milliseconds) {
        var sorted = milliseconds.stream().sorted().toList();
        for (int percentile : new int[] {50, 99}) {
            int rank = Math.ceilDiv(sorted.size() * percentile, 100);
            results.add(name(what, percentile), "ms", sorted.get(rank - 1));
        }
    }
}
