package io.pgflow.benchmark.yardstick;

import io.pgflow.Flow;
import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Figure.Name;
import io.pgflow.benchmark.Measurement;
import io.pgflow.benchmark.Results;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.contenders.PgFlow;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * What workers take up: with many tasks in hand, with nothing to do, and to come and go.
 *
 * @param inFlight how many tasks are in hand at once
 * @param idle how long a worker with nothing to do is watched
 */
record Footprint(Server server, Results results, int inFlight, Duration idle) {
    private static final String SECTION = "Footprint";
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final int STARTS = 5;

    /** What a worker has by default. */
    private static final int SLOTS = 10;

    static final Name STATEMENTS = name("statements of an idle worker");
    static final Name START_AND_STOP = name("start and stop of a worker in a warm JVM");

    static final Name PINNED = name("times that a virtual thread was pinned for 20 ms and more");

    List<Measurement> measurements() {
        return List.of(
                new Measurement(SECTION, inFlight + " tasks in hand", this::hold),
                new Measurement(SECTION, "idle worker", this::watchIdle),
                new Measurement(SECTION, "start and stop", this::startAndStop));
    }

    private static Name name(String row) {
        return new Name(SECTION, row, "measured");
    }

    Name tasks() {
        return name("%,d runs, handlers wait: tasks in hand".formatted(inFlight));
    }

    Name connections() {
        return name("%,d runs, handlers wait: connections".formatted(inFlight));
    }

    Name heap() {
        return name("%,d runs, handlers wait: heap after a collection".formatted(inFlight));
    }

    private void hold() throws Exception {
        var running = new Semaphore(0);
        var latch = new CountDownLatch(1);
        var builder = Flow.of("work", Integer.class);
        builder.step("a", Integer.class, n -> {
                    running.release();
                    latch.await();
                    return n;
                })
                .timeout(LIMIT);
        var flow = builder.build();
        try (var database = server.create("in_flight");
                var workers = PgFlow.workers(database, inFlight, flow)) {
            try {
                for (int left = inFlight; left > 0; left -= 1_000) {
                    workers.client().startAll(flow, Collections.nCopies(Math.min(left, 1_000), 1));
                }
                boolean all = running.tryAcquire(inFlight, LIMIT.toSeconds(), TimeUnit.SECONDS);
                results.add(tasks(), "", all ? inFlight : running.availablePermits());
                results.add(connections(), "", (double) connections(database));
                results.add(heap(), "MB", heapAfterCollection() / 1e6);
            } finally {
                latch.countDown();
            }
        }
    }

    /** All but our own. */
    private static long connections(Database database) {
        return database.number(
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
    }

    private static long heapAfterCollection() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private void watchIdle() throws Exception {
        var flow = WorkerProcess.flow();
        try (var database = server.create("idle");
                var workers = PgFlow.workers(database, SLOTS, flow)) {
            workers.client().await(workers.client().start(flow, 1), LIMIT);
            Thread.sleep(idle.dividedBy(10)); // until it has noticed that there is nothing more
            long began = System.nanoTime();
            long before = server.statements(database);
            Thread.sleep(idle);
            long sent = server.statements(database) - before;
            results.add(STATEMENTS, "a second", sent / ((System.nanoTime() - began) / 1e9));
        }
    }

    private void startAndStop() throws Exception {
        var flow = WorkerProcess.flow();
        try (var database = server.create("start_stop")) {
            PgFlow.workers(database, SLOTS, flow).close();
            var milliseconds = new ArrayList<Double>();
            for (int i = 0; i < STARTS; i++) {
                long began = System.nanoTime();
                PgFlow.workers(database, SLOTS, flow).close();
                milliseconds.add((System.nanoTime() - began) / 1e6);
            }
            Collections.sort(milliseconds);
            results.add(START_AND_STOP, "ms", milliseconds.get(STARTS / 2));
        }
    }
}
