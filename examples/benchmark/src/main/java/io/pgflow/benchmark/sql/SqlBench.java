package io.pgflow.benchmark.sql;

import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Goal;
import io.pgflow.benchmark.Measurement;
import io.pgflow.benchmark.Results;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.sql.Flows.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Measures the SQL functions by bare JDBC: prepared statements and arrays, as fast as a client can ask. */
public final class SqlBench {
    /** Of the sizes of maps, the one that all others are compared with, and the one that must not cost more. */
    private static final int SMALL_MAP = 1_000;

    private static final int LARGE_MAP = 100_000;

    private final Drains drains;
    private final Maps maps;
    private final ContractFigures contract;
    private final Results results;
    private final List<Integer> mapSizes;

    /**
     * Measures on a server.
     *
     * @param tasks how many tasks a drain has; maps have half as many elements, and no more than {@value #LARGE_MAP}
     */
    public SqlBench(Server server, Results results, int tasks) {
        int large = Math.clamp(tasks * 5L / 2, 10, LARGE_MAP);
        this.results = results;
        mapSizes = Stream.of(SMALL_MAP, 10_000, LARGE_MAP)
                .map(size -> Math.max(1, (int) ((long) size * large / LARGE_MAP)))
                .toList();
        drains = new Drains(server, results, tasks);
        maps = new Maps(server, results, mapSizes, Math.max(1, large / 5));
        contract = new ContractFigures(server, results);
    }

    /** All that there is to measure. */
    public List<Measurement> measurements() {
        var all = new ArrayList<>(drains.measurements());
        all.addAll(maps.measurements());
        all.addAll(contract.measurements());
        return all;
    }

    /** The numbers to reach. */
    public List<Goal> goals() {
        var goals = new ArrayList<>(List.of(
                Goal.atLeastPercent(
                        70,
                        "single steps by claim_tasks and complete_tasks, of the floor",
                        results.ratio(Drains.SINGLE, Drains.FLOOR)),
                Goal.atLeastPercent(50, "the same of chains of 3, in tasks", results.ratio(Drains.CHAIN, Drains.FLOOR)),
                Goal.atLeastPercent(
                        6,
                        "the contract's one call per task, of the floor (pgflow's own: 1,200/s where the floor is 20,000/s)",
                        results.ratio(Drains.ONE_BY_ONE, Drains.FLOOR)),
                Goal.atLeast(15_000, "runs/s", "bulk start by start_flows", results.values(Drains.BULK_START))));
        for (var shape : List.of(Shape.ROOT_MAP, Shape.DEPENDENT_MAP)) {
            var small = Maps.name(shape, 100, mapSizes.getFirst());
            var large = Maps.name(shape, 100, mapSizes.getLast());
            goals.add(Goal.atMost(
                    1.3,
                    "×",
                    "%s: an element with %s, against %s".formatted(large.row(), large.column(), small.column()),
                    results.ratio(large, small)));
        }
        goals.addAll(contract.goals());
        return goals;
    }

    /** A measurement of work that was not done is worth nothing. */
    static void requireAllCompleted(Database database, int runs) {
        long completed = database.number("select count(*) from pgflow.runs where status = 'completed'");
        long waiting = database.number("select count(*) from pgmq.q_" + Flows.SLUG);
        if (completed != runs || waiting != 0) {
            throw new IllegalStateException("of %d runs, %d are completed, and %d messages are left in the queue"
                    .formatted(runs, completed, waiting));
        }
    }
}
