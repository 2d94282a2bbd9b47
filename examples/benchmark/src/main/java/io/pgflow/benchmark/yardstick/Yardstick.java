package io.pgflow.benchmark.yardstick;

import io.pgflow.benchmark.Figure.Name;
import io.pgflow.benchmark.Goal;
import io.pgflow.benchmark.Measurement;
import io.pgflow.benchmark.Results;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.contenders.BareSql;
import io.pgflow.benchmark.contenders.Work;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Measures PgFlow as a whole, beside others, and tells which of the numbers to reach hold. */
public final class Yardstick implements AutoCloseable {
    private final Results results;
    private final Throughput throughput;
    private final Latency latency;
    private final Growth growth;
    private final Footprint footprint;

    /**
     * Measures on a server.
     *
     * @param tasks how many tasks a drain of ours has; all other counts go with it
     */
    public Yardstick(Server server, Results results, int tasks) {
        this.results = results;
        throughput = new Throughput(server, results, tasks);
        latency = new Latency(server, results, Math.clamp(tasks / 250, 8, 160));
        growth = new Growth(server, results, tasks);
        footprint = new Footprint(
                server, results, Math.max(10, tasks / 4), Duration.ofMillis(Math.clamp(tasks, 500, 20_000)));
    }

    /** All that there is to measure. */
    public List<Measurement> measurements() {
        return Stream.of(
                        throughput.measurements(Throughput.CONTENDERS),
                        latency.measurements(),
                        growth.measurements(),
                        footprint.measurements())
                .flatMap(List::stream)
                .toList();
    }

    /** What makes the JVM know the code of what is to be measured. */
    public List<Measurement> warmUp(List<Measurement> chosen) {
        boolean all =
                chosen.stream().anyMatch(measurement -> measurement.section().startsWith(Throughput.SECTION));
        return throughput.measurements(all ? Throughput.CONTENDERS : List.of(Throughput.PGFLOW));
    }

    /** How often a virtual thread that ran code of PgFlow held on to its carrier for long, in all rounds together. */
    public void pinned(int times) {
        results.add(Footprint.PINNED, "", times);
    }

    /** The contenders with their settings. */
    public static SequencedMap<String, String> contenders() {
        var contenders = new LinkedHashMap<String, String>();
        Throughput.CONTENDERS.forEach(contender -> contenders.put(contender.title(), contender.settings()));
        return contenders;
    }

    /** The numbers to reach. */
    public List<Goal> goals() {
        var goals = new ArrayList<Goal>();
        goals.addAll(throughputGoals());
        goals.addAll(latencyGoals());
        goals.addAll(growthGoals());
        goals.addAll(footprintGoals());
        return goals;
    }

    private List<Goal> throughputGoals() {
        var single = throughput.drained(Throughput.PGFLOW, Work.SINGLE);
        var oneByOne = Throughput.startedOneByOne(Throughput.PGFLOW);
        return List.of(
                Goal.atLeastPercent(
                        50,
                        "single steps, of the floor",
                        results.ratio(single, throughput.drained(BareSql.FLOOR, Work.SINGLE))),
                Goal.atLeast(
                        2,
                        "×",
                        "single steps, against db-scheduler",
                        results.ratio(single, throughput.drained(Throughput.DB_SCHEDULER, Work.SINGLE))),
                Goal.atLeast(
                        12,
                        "×",
                        "single steps, against JobRunr",
                        results.ratio(single, throughput.drained(Throughput.JOBRUNR, Work.SINGLE))),
                Goal.atLeast(
                        50,
                        "×",
                        "single steps, against DBOS",
                        results.ratio(single, throughput.drained(Throughput.DBOS, Work.SINGLE))),
                Goal.atLeastPercent(
                        70,
                        "chains of three in tasks, of single steps",
                        results.ratio(throughput.drained(Throughput.PGFLOW, Work.CHAIN), single)),
                Goal.atLeastPercent(
                        100,
                        Work.MAP.description(throughput.elements()) + ", of single steps",
                        results.ratio(throughput.drained(Throughput.PGFLOW, Work.MAP), single)),
                Goal.atLeastPercent(
                        60,
                        "bulk start, of the floor's inserts",
                        results.ratio(
                                Throughput.startedTogether(Throughput.PGFLOW),
                                Throughput.startedTogether(BareSql.FLOOR))),
                Goal.atLeast(
                        1,
                        "×",
                        "starts one by one, against DBOS",
                        results.ratio(oneByOne, Throughput.startedOneByOne(Throughput.DBOS))),
                Goal.atLeast(
                        1,
                        "×",
                        "starts one by one, against JobRunr",
                        results.ratio(oneByOne, Throughput.startedOneByOne(Throughput.JOBRUNR))));
    }

    private List<Goal> latencyGoals() {
        return List.of(
                Goal.atMost(5, "ms", "start to handler, p50", results.values(Latency.name(Latency.TO_HANDLER, 50))),
                Goal.atMost(20, "ms", "start to handler, p99", results.values(Latency.name(Latency.TO_HANDLER, 99))),
                Goal.atMost(4, "ms", "step to step, p50", results.values(Latency.name(Latency.STEP_TO_STEP, 50))));
    }

    private List<Goal> growthGoals() {
        var goals = new ArrayList<Goal>();
        var sizes = growth.mapSizes();
        for (int bytes : Growth.ELEMENT_BYTES) {
            var small = Growth.mapName(sizes.getFirst(), bytes);
            var large = Growth.mapName(sizes.getLast(), bytes);
            goals.add(Goal.atMost(
                    1.3,
                    "×",
                    "maps with %s: an element where there are %s, against %s"
                            .formatted(small.row().replace(" an element", " elements"), large.column(), small.column()),
                    results.ratio(large, small)));
        }
        goals.addAll(neverSlower(List.of(Growth.slotsName(16), Growth.slotsName(256), Growth.slotsName(1_000))));
        goals.addAll(neverSlower(growth.processCounts().stream()
                .filter(processes -> processes <= 4)
                .map(Growth::processesName)
                .toList()));
        var full = growth.finishedName(true);
        goals.add(Goal.atLeastPercent(
                90, full.column() + ", of empty tables", results.ratio(full, growth.finishedName(false))));
        return goals;
    }

    /** Each but the first against the best of those before it. */
    private List<Goal> neverSlower(List<Name> settings) {
        return IntStream.range(1, settings.size())
                .mapToObj(i -> {
                    var name = settings.get(i);
                    var fewer =
                            settings.subList(0, i).stream().map(results::values).toList();
                    var values = results.values(name);
                    int rounds = Math.min(
                            values.size(),
                            fewer.stream().mapToInt(List::size).min().orElseThrow());
                    var ratios = IntStream.range(0, rounds)
                            .mapToObj(round -> values.get(round) / best(fewer, round))
                            .toList();
                    return Goal.atLeastPercent(90, name.column() + ", of the best with fewer", ratios);
                })
                .toList();
    }

    private static double best(List<List<Double>> settings, int round) {
        return settings.stream().mapToDouble(values -> values.get(round)).max().orElseThrow();
    }

    private List<Goal> footprintGoals() {
        return List.of(
                Goal.atLeast(
                        footprint.inFlight(),
                        "",
                        "tasks in hand at once, where handlers wait",
                        results.values(footprint.tasks())),
                Goal.atMost(6, "", "connections with these", results.values(footprint.connections())),
                Goal.atMost(300, "MB", "heap with these", results.values(footprint.heap())),
                Goal.atMost(1, "a second", "statements of an idle worker", results.values(Footprint.STATEMENTS)),
                Goal.atMost(
                        100,
                        "ms",
                        "start and stop of a worker in a warm JVM",
                        results.values(Footprint.START_AND_STOP)),
                Goal.atMost(
                        0,
                        "",
                        "times that a virtual thread was pinned for 20 ms and more",
                        results.values(Footprint.PINNED)));
    }

    @Override
    public void close() {
        growth.close();
    }
}
