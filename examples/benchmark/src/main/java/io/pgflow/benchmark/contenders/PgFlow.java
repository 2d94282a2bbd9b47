package io.pgflow.benchmark.contenders;

import io.pgflow.Client;
import io.pgflow.Flow;
import io.pgflow.RunningWorkers;
import io.pgflow.Workers;
import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Server;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Our own client and workers, as shipped.
 *
 * @param slots how many tasks run at once
 */
public record PgFlow(int slots) implements Contender {
    /** What clients that start many runs do at once, as the floor does. */
    private static final int STARTERS = 2;

    private static final int STARTED_AT_ONCE = 1_000;

    /** Of the embedded server; its password too. */
    private static final String USER = "postgres";

    /** How many slots the comparison has. */
    public static final int SLOTS = 400;

    @Override
    public String title() {
        return "PgFlow";
    }

    @Override
    public String settings() {
        return "%d slots, everything else as shipped; bulk start by Client.startAll of %,d on %d threads"
                .formatted(slots, STARTED_AT_ONCE, STARTERS);
    }

    @Override
    public boolean does(Work work) {
        return true;
    }

    @Override
    public double share() {
        return 1;
    }

    @Override
    public Trial open(Server server, Load load) {
        var database = server.create("pgflow");
        return on(database, load, database::close);
    }

    /** The same in a database that is there with our schema, and stays. */
    public Trial on(Database database, Load load) {
        return on(database, load, () -> {});
    }

    private Trial on(Database database, Load load, Runnable atEnd) {
        return load.work() == Work.MAP
                ? new Running<>(database, slots, load, map(load), Collections.nCopies(load.elements(), 1), atEnd)
                : new Running<>(database, slots, load, steps(load), 1, atEnd);
    }

    private static Flow<List<Integer>> map(Load load) {
        var flow = Flow.ofList("work", Integer.class);
        flow.map("m", Integer.class, flow.input(), n -> done(load, n));
        return flow.build();
    }

    private static Flow<Integer> steps(Load load) {
        var flow = Flow.of("work", Integer.class);
        var a = flow.step("a", Integer.class, n -> done(load, n));
        if (load.work() == Work.CHAIN) {
            var b = flow.step("b", Integer.class, a, n -> done(load, n));
            flow.step("c", Integer.class, b, n -> done(load, n));
        } else if (load.work() == Work.DIAMOND) {
            var b = flow.step("b", Integer.class, a, n -> done(load, n));
            var c = flow.step("c", Integer.class, a, n -> done(load, n));
            flow.step("d", Integer.class, b, c, (n, m) -> done(load, n));
        }
        return flow.build();
    }

    private static int done(Load load, int n) throws InterruptedException {
        load.handle();
        return n;
    }

    /** Workers of ours on a database. */
    public static RunningWorkers workers(Database database, int slots, Flow<?>... flows) {
        return Workers.connect(database.dataSource().getURL(), USER, USER)
                .concurrency(slots)
                .start(flows);
    }

    private static final class Running<I> implements Trial {
        private final Database database;
        private final int slots;
        private final Load load;
        private final Flow<I> flow;
        private final I input;
        private final Client client;
        private final Runnable atEnd;
        private @Nullable RunningWorkers workers;

        Running(Database database, int slots, Load load, Flow<I> flow, I input, Runnable atEnd) {
            this.database = database;
            this.slots = slots;
            this.load = load;
            this.flow = flow;
            this.input = input;
            this.atEnd = atEnd;
            database.run(flow.toSql());
            client = Client.connect(database.dataSource().getURL(), USER, USER);
        }

        @Override
        public Database database() {
            return database;
        }

        @Override
        public void startOne() {
            client.start(flow, input);
        }

        @Override
        public void startAll() throws InterruptedException {
            int atOnce = Math.max(1, STARTED_AT_ONCE / load.work().tasks(load.elements()));
            var left = new AtomicInteger(load.runs());
            var threads = IntStream.range(0, STARTERS)
                    .mapToObj(i -> Thread.ofPlatform().start(() -> {
                        for (int before = left.getAndAdd(-atOnce); before > 0; before = left.getAndAdd(-atOnce)) {
                            client.startAll(flow, Collections.nCopies(Math.min(before, atOnce), input));
                        }
                    }))
                    .toList();
            for (var thread : threads) {
                thread.join();
            }
        }

        @Override
        public double work() throws Exception {
            workers = PgFlow.workers(database, slots, flow);
            double seconds = load.secondsUntil(() -> database.is("not exists (select from pgmq.q_work)"));
            if (database.is("exists (select from pgflow.runs where status <> 'completed')")) {
                throw new IllegalStateException("not all runs of " + load.work() + " are completed");
            }
            return seconds;
        }

        @Override
        public void close() {
            if (workers != null) {
                workers.close();
            }
            client.close();
            atEnd.run();
        }
    }
}
