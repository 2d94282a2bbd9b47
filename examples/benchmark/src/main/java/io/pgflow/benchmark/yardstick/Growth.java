package io.pgflow.benchmark.yardstick;

import io.pgflow.Flow;
import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Figure.Name;
import io.pgflow.benchmark.Measurement;
import io.pgflow.benchmark.Results;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.Texts;
import io.pgflow.benchmark.contenders.Load;
import io.pgflow.benchmark.contenders.PgFlow;
import io.pgflow.benchmark.contenders.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Whether it stays as fast as maps, slots, processes and tables grow. */
final class Growth implements AutoCloseable {
    static final List<Integer> SLOTS = List.of(10, 16, 256, 1_000);
    static final List<Integer> ELEMENT_BYTES = List.of(100, 1_000);

    private static final String WITH_SLOTS = "Growth: slots";
    private static final String WITH_PROCESSES = "Growth: worker processes";
    private static final String WITH_MAPS = "Growth: maps, from start to end";
    private static final String WITH_TABLES = "Growth: tables";
    private static final int FINISHED = 1_000_000;
    private static final int LARGEST_MAP = 100_000;
    private static final int WARM_UPS = 3;

    private final Server server;
    private final Results results;
    private final int tasks;
    private final int finished;
    private @Nullable Database withFinished;
    private @Nullable Fleet fleet;

    /**
     * Measures on a server.
     *
     * @param tasks how many tasks a drain of ours has
     */
    Growth(Server server, Results results, int tasks) {
        this.server = server;
        this.results = results;
        this.tasks = tasks;
        this.finished = (int) Math.min(FINISHED, tasks * 25L);
    }

    List<Measurement> measurements() {
        var all = new ArrayList<Measurement>();
        for (int slots : SLOTS) {
            all.add(new Measurement(WITH_SLOTS, slots + " slots", () -> slots(slots)));
        }
        for (int processes : processCounts()) {
            all.add(new Measurement(WITH_PROCESSES, processes + " processes", () -> processes(processes)));
        }
        for (int bytes : ELEMENT_BYTES) {
            for (int elements : mapSizes()) {
                all.add(new Measurement(
                        WITH_MAPS, "maps of %,d × %,d B".formatted(elements, bytes), () -> map(elements, bytes)));
            }
        }
        all.add(new Measurement(WITH_TABLES, "empty tables", this::onEmptyTables));
        all.add(new Measurement(WITH_TABLES, "full tables", this::onFullTables));
        return all;
    }

    /** Up to 8, or to 2 where there is little for them to do. */
    List<Integer> processCounts() {
        return tasks < 1_000 ? List.of(1, 2) : List.of(1, 2, 4, 8);
    }

    /** 1,000, 10,000 and 100,000, or fewer where there are fewer tasks. */
    List<Integer> mapSizes() {
        long largest = Math.min(LARGEST_MAP, tasks * 5L / 2);
        return Stream.of(100, 10, 1)
                .map(part -> (int) Math.max(1, largest / part))
                .toList();
    }

    static Name slotsName(int slots) {
        return new Name(WITH_SLOTS, "single steps", "%,d slots".formatted(slots));
    }

    static Name processesName(int processes) {
        return new Name(WITH_PROCESSES, "single steps", processes == 1 ? "1 process" : processes + " processes");
    }

    static Name mapName(int elements, int bytes) {
        return new Name(WITH_MAPS, "%,d B an element".formatted(bytes), "%,d elements".formatted(elements));
    }

    Name finishedName(boolean full) {
        return new Name(WITH_TABLES, "single steps", full ? "%,d finished runs".formatted(finished) : "empty tables");
    }

    private void slots(int slots) throws Exception {
        var load = new Load(Work.SINGLE, Math.max(1, tasks / 2), 1);
        try (var trial = new PgFlow(slots).open(server, load)) {
            trial.startAll();
            results.add(slotsName(slots), "tasks/s", load.tasks() / trial.work());
        }
    }

    private void processes(int processes) throws Exception {
        if (fleet == null) {
            fleet = Fleet.start(processCounts().getLast());
            if (tasks >= 1_000) { // or it need not be known how fast they are
                warmUp(fleet);
            }
        }
        results.add(processesName(processes), "tasks/s", fleet.tasksPerSecond(server, processes, tasks));
    }

    /** Their compilers are done after some 100,000 tasks each; until then they take from the others, and the more processes the longer. */
    private void warmUp(Fleet fleet) throws Exception {
        int all = processCounts().getLast();
        for (int i = 0; i < WARM_UPS; i++) {
            fleet.tasksPerSecond(server, all, tasks * all);
        }
    }

    private void map(int elements, int bytes) throws Exception {
        int maps = Math.max(1, mapSizes().getLast() / elements);
        var load = new Load(Work.MAP, maps, elements);
        var builder = Flow.ofList("work", String.class);
        builder.map("m", Integer.class, builder.input(), text -> {
            load.handle();
            return text.length();
        });
        var flow = builder.build();
        var texts = Texts.of(bytes);
        var input = IntStream.range(0, elements)
                .mapToObj(i -> texts.get(i % texts.size()))
                .toList();
        try (var database = server.create("maps");
                var workers = PgFlow.workers(database, PgFlow.SLOTS, flow)) {
            long began = System.nanoTime();
            for (int i = 0; i < maps; i++) {
                workers.client().start(flow, input);
            }
            load.secondsUntil(() -> database.is("not exists (select from pgmq.q_work)"));
            results.add(mapName(elements, bytes), "µs an element", (System.nanoTime() - began) / 1e3 / load.tasks());
        }
    }

    private void onEmptyTables() throws Exception {
        try (var database = server.create("empty")) {
            results.add(finishedName(false), "tasks/s", FinishedRuns.drain(database, tasks));
        }
    }

    private void onFullTables() throws Exception {
        if (withFinished == null) {
            withFinished = server.create("filled");
            FinishedRuns.insert(withFinished, finished);
        }
        server.checkpoint();
        results.add(finishedName(true), "tasks/s", FinishedRuns.drain(withFinished, tasks));
    }

    @Override
    public void close() {
        if (fleet != null) {
            fleet.close();
        }
        if (withFinished != null) {
            withFinished.close();
        }
    }
}
