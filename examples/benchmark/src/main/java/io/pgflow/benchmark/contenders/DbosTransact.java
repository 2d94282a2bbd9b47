package io.pgflow.benchmark.contenders;

import com.zaxxer.hikari.HikariDataSource;
import dev.dbos.transact.DBOS;
import dev.dbos.transact.DBOSClient;
import dev.dbos.transact.DBOSClient.EnqueueOptions;
import dev.dbos.transact.config.DBOSConfig;
import dev.dbos.transact.workflow.QueueOptions;
import dev.dbos.transact.workflow.Workflow;
import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Server;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** DBOS Transact: a run is a workflow on a queue; a chain is a workflow of three steps. */
public final class DbosTransact implements Contender {
    private static final String QUEUE = "queue";
    private static final int CONNECTIONS = 20;
    private static final int STARTERS = 8;

    /** The default is a second, which would be most of what is measured. */
    private static final Duration POLL = Duration.ofMillis(100);

    @Override
    public String title() {
        return "DBOS";
    }

    @Override
    public String settings() {
        return "transact 1.1.0-m6, a queue without limits of concurrency, as its tutorial has it, polled every %d ms; %d pooled connections; no bulk start: enqueueWorkflow on %d threads"
                .formatted(POLL.toMillis(), CONNECTIONS, STARTERS);
    }

    @Override
    public boolean does(Work work) {
        return work == Work.SINGLE || work == Work.MIX || work == Work.CHAIN;
    }

    @Override
    public double share() {
        return 0.03;
    }

    /** The workflow. */
    public interface Workflows {
        /** Does the work of one run. */
        void work() throws InterruptedException;
    }

    /** Does what the load says. */
    public static final class WorkflowsOfLoad implements Workflows {
        private final DBOS dbos;
        private final Load load;

        WorkflowsOfLoad(DBOS dbos, Load load) {
            this.dbos = dbos;
            this.load = load;
        }

        @Override
        @Workflow(name = "work")
        public void work() throws InterruptedException {
            if (load.work() == Work.CHAIN) {
                dbos.runStep(load::handle, "a");
                dbos.runStep(load::handle, "b");
                dbos.runStep(load::handle, "c");
            } else {
                load.handle();
            }
        }
    }

    @Override
    public Trial open(Server server, Load load) {
        return new Running(server.createEmpty("dbos"), load);
    }

    private static final class Running implements Trial {
        private final Database database;
        private final Load load;
        private final HikariDataSource pool;
        private final DBOSClient client;
        private @Nullable DBOS worker;

        Running(Database database, Load load) {
            this.database = database;
            this.load = load;
            pool = Pool.of(database, CONNECTIONS);
            try (var first = create()) { // makes its tables
                first.launch();
                first.registerQueue(QUEUE, QueueOptions.setPollingInterval(POLL));
            }
            client = new DBOSClient(pool);
        }

        private DBOS create() {
            var dbos = new DBOS(DBOSConfig.defaults("benchmark").withDataSource(pool));
            dbos.registerProxy(Workflows.class, new WorkflowsOfLoad(dbos, load));
            return dbos;
        }

        @Override
        public Database database() {
            return database;
        }

        @Override
        public void startOne() {
            client.enqueueWorkflow(
                    new EnqueueOptions("work", QUEUE).withClassName(WorkflowsOfLoad.class.getName()), new Object[0]);
        }

        @Override
        public void startAll() throws InterruptedException {
            var left = new AtomicInteger(load.runs());
            var threads = IntStream.range(0, STARTERS)
                    .mapToObj(i -> Thread.ofPlatform().start(() -> {
                        while (left.getAndDecrement() > 0) {
                            startOne();
                        }
                    }))
                    .toList();
            for (var thread : threads) {
                thread.join();
            }
        }

        @Override
        public double work() throws Exception {
            worker = create();
            worker.launch();
            return load.secondsUntil(
                    () -> database.is("not exists (select from dbos.workflow_status where status <> 'SUCCESS')"));
        }

        @Override
        public void close() {
            if (worker != null) {
                worker.close();
            }
            client.close();
            pool.close();
            database.close();
        }
    }
}
