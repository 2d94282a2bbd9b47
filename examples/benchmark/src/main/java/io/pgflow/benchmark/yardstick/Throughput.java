package io.pgflow.benchmark.yardstick;

import io.pgflow.benchmark.Figure.Name;
import io.pgflow.benchmark.Measurement;
import io.pgflow.benchmark.Results;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.contenders.BareSql;
import io.pgflow.benchmark.contenders.Contender;
import io.pgflow.benchmark.contenders.DbScheduler;
import io.pgflow.benchmark.contenders.DbosTransact;
import io.pgflow.benchmark.contenders.JobRunr;
import io.pgflow.benchmark.contenders.Load;
import io.pgflow.benchmark.contenders.PgFlow;
import io.pgflow.benchmark.contenders.Work;
import java.util.ArrayList;
import java.util.List;

/**
 * How many tasks a second the contenders do, how many runs a second they start, and what that costs.
 *
 * @param tasks how many tasks a drain of ours has
 */
record Throughput(Server server, Results results, int tasks) {
    static final String SECTION = "Throughput";

    private static final String STARTING = "Starting runs";

    /** Fewer are over before they can be timed. */
    private static final int FEWEST = 20;

    static final Contender PGFLOW = new PgFlow(PgFlow.SLOTS);
    static final Contender DB_SCHEDULER = new DbScheduler();
    static final Contender DBOS = new DbosTransact();
    static final Contender JOBRUNR = new JobRunr();
    static final List<Contender> CONTENDERS =
            List.of(BareSql.FLOOR, PGFLOW, BareSql.ONE_CALL_PER_TASK, DB_SCHEDULER, JOBRUNR, DBOS);

    List<Measurement> measurements(List<Contender> contenders) {
        var all = new ArrayList<Measurement>();
        for (var work : Work.values()) {
            for (var contender : contenders) {
                if (contender.does(work)) {
                    all.add(new Measurement(
                            SECTION,
                            contender.title() + ", " + work.description(elements()),
                            () -> drain(contender, work)));
                }
            }
        }
        for (var contender : contenders) {
            if (!(contender instanceof BareSql)) {
                all.add(new Measurement(SECTION, contender.title() + ", one by one", () -> oneByOne(contender)));
            }
        }
        return all;
    }

    /** Of a map: 10,000 by default. */
    int elements() {
        return Math.max(1, tasks / 4);
    }

    Name drained(Contender contender, Work work) {
        return new Name(SECTION, work.description(elements()), contender.title());
    }

    static Name startedTogether(Contender contender) {
        return new Name(STARTING, "in bulk", contender.title());
    }

    static Name startedOneByOne(Contender contender) {
        return new Name(STARTING, "one by one, by one thread", contender.title());
    }

    private int runs(Contender contender, Work work) {
        return Math.max(FEWEST, (int) (tasks * contender.share())) / work.tasks(elements());
    }

    private void drain(Contender contender, Work work) throws Exception {
        var load = new Load(work, Math.max(1, runs(contender, work)), elements());
        try (var trial = contender.open(server, load)) {
            long began = System.nanoTime();
            trial.startAll();
            if (work == Work.SINGLE) {
                results.add(startedTogether(contender), "runs/s", load.runs() / secondsSince(began));
            }
            var before = Effort.now(trial.database());
            results.add(drained(contender, work), "tasks/s", load.tasks() / trial.work());
            if (work == Work.SINGLE) {
                cost(contender, Effort.now(trial.database()).since(before), load.tasks());
            }
        }
    }

    private void cost(Contender contender, Effort effort, int tasks) {
        cost(contender, "statements", "a task", (double) effort.statements() / tasks);
        cost(contender, "commits", "a task", (double) effort.commits() / tasks);
        cost(contender, "WAL", "B a task", (double) effort.walBytes() / tasks);
        cost(contender, "CPU of this JVM", "µs a task", effort.jvmSeconds() * 1e6 / tasks);
        effort.serverSeconds()
                .ifPresent(seconds -> cost(contender, "CPU of the server", "µs a task", seconds * 1e6 / tasks));
    }

    private void cost(Contender contender, String what, String unit, double value) {
        results.add(new Name("Cost of draining single steps", what, contender.title()), unit, value);
    }

    private void oneByOne(Contender contender) throws Exception {
        int runs = Math.max(FEWEST, tasks / 40);
        try (var trial = contender.open(server, new Load(Work.SINGLE, runs, 1))) {
            long began = System.nanoTime();
            for (int i = 0; i < runs; i++) {
                trial.startOne();
            }
            results.add(startedOneByOne(contender), "runs/s", runs / secondsSince(began));
        }
    }

    private static double secondsSince(long began) {
        return (System.nanoTime() - began) / 1e9;
    }
}
