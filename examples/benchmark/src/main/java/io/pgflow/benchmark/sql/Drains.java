package io.pgflow.benchmark.sql;

import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Figure.Name;
import io.pgflow.benchmark.Measurement;
import io.pgflow.benchmark.Parallel;
import io.pgflow.benchmark.Results;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.sql.Flows.Shape;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many tasks a second can be done, and how many runs started, by the set-wise functions, beside the floor and the contract's own protocol.
 *
 * @param tasks how many tasks the set-wise functions do; the slow protocol does fewer
 */
record Drains(Server server, Results results, int tasks) {
    static final Name FLOOR = drain("floor: bare read, start, complete");
    static final Name SINGLE = drain("claim_tasks, complete_tasks: single steps");
    static final Name CHAIN = drain("claim_tasks, complete_tasks: chains of 3");
    static final Name DIAMOND = drain("claim_tasks, complete_tasks: diamonds");
    static final Name ONE_BY_ONE = drain("contract: read 10, start_tasks, complete_task each");
    static final Name INSERT = new Name("Bulk start", "floor: bare inserts", "runs/s");
    static final Name BULK_START = new Name("Bulk start", "start_flows", "runs/s");

    private static final int CONNECTIONS = 2;
    private static final int CONTRACT_CONNECTIONS = 8;

    private static Name drain(String what) {
        return new Name("Drain", what, "tasks/s");
    }

    List<Measurement> measurements() {
        return List.of(
                new Measurement("Drain", "floor", this::floor),
                new Measurement("Drain", "single steps", () -> setWise(SINGLE, Shape.SINGLE)),
                new Measurement("Drain", "chains of 3", () -> setWise(CHAIN, Shape.CHAIN)),
                new Measurement("Drain", "diamonds", () -> setWise(DIAMOND, Shape.DIAMOND)),
                new Measurement("Drain", "contract's protocol", this::oneByOne),
                new Measurement("Bulk start", "start_flows", this::bulkStart));
    }

    private void floor() throws Exception {
        try (var database = Floor.define(server.create("floor"))) {
            var uninserted = new AtomicInteger(tasks);
            results.add(
                    INSERT,
                    "runs/s",
                    tasks
                            / Parallel.seconds(database, CONNECTIONS, connection -> {
                                try (var floor = new Floor(connection)) {
                                    floor.insert(uninserted);
                                }
                            }));
            var left = new AtomicInteger(tasks);
            results.add(
                    FLOOR,
                    "tasks/s",
                    tasks
                            / Parallel.seconds(database, CONNECTIONS, connection -> {
                                try (var floor = new Floor(connection)) {
                                    floor.work(left);
                                }
                            }));
            SqlBench.requireAllCompleted(database, tasks);
        }
    }

    private void setWise(Name name, Shape shape) throws Exception {
        int runs = tasks / shape.tasks();
        try (var database = started(shape, runs)) {
            var left = new AtomicInteger(runs * shape.tasks());
            int done = left.get();
            results.add(
                    name,
                    "tasks/s",
                    done
                            / Parallel.seconds(database, CONNECTIONS, connection -> {
                                try (var work = new SetWise(connection, "1")) {
                                    work.work(left);
                                }
                            }));
            SqlBench.requireAllCompleted(database, runs);
        }
    }

    private void oneByOne() throws Exception {
        int runs = Math.max(1, tasks / 4);
        try (var database = started(Shape.SINGLE, runs)) {
            var left = new AtomicInteger(runs);
            results.add(
                    ONE_BY_ONE,
                    "tasks/s",
                    runs
                            / Parallel.seconds(database, CONTRACT_CONNECTIONS, connection -> {
                                try (var work = new OneByOne(connection)) {
                                    work.work(left);
                                }
                            }));
            SqlBench.requireAllCompleted(database, runs);
        }
    }

    private void bulkStart() throws Exception {
        try (var database = Flows.define(server.create("bulk"), Shape.SINGLE)) {
            var left = new AtomicInteger(tasks);
            results.add(
                    BULK_START,
                    "runs/s",
                    tasks / Parallel.seconds(database, CONNECTIONS, connection -> Flows.start(connection, "1", left)));
        }
    }

    private Database started(Shape shape, int runs) throws Exception {
        var database = Flows.define(server.create("drain"), shape);
        var left = new AtomicInteger(runs);
        Parallel.seconds(database, CONNECTIONS, connection -> Flows.start(connection, "1", left));
        return database;
    }
}
