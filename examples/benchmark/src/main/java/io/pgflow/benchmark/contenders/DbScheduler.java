package io.pgflow.benchmark.contenders;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerClient;
import com.github.kagkarlsson.scheduler.task.CompletionHandler;
import com.github.kagkarlsson.scheduler.task.Task;
import com.github.kagkarlsson.scheduler.task.TaskDescriptor;
import com.github.kagkarlsson.scheduler.task.TaskInstance;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Server;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** db-scheduler: a row for each task, deleted when it is done. A chain is a task that replaces itself by the next one. */
public final class DbScheduler implements Contender {
    private static final int THREADS = 100;
    private static final double FETCH_AGAIN = 2;
    private static final double FETCH_UP_TO = 6;
    private static final int CONNECTIONS = 20;

    /** The default is 10 s, which would be most of what is measured of chains. */
    private static final Duration POLL = Duration.ofMillis(100);

    /** Its documentation's, with the priority that we do not use left out. */
    private static final String TABLE = """
            create table scheduled_tasks (
              task_name text not null,
              task_instance text not null,
              task_data bytea,
              execution_time timestamptz,
              picked boolean not null,
              picked_by text,
              last_success timestamptz,
              last_failure timestamptz,
              consecutive_failures int,
              last_heartbeat timestamptz,
              version bigint not null,
              priority smallint,
              state text,
              primary key (task_name, task_instance)
            );
            create index execution_time_idx on scheduled_tasks (execution_time);
            create index last_heartbeat_idx on scheduled_tasks (last_heartbeat);""";

    @Override
    public String title() {
        return "db-scheduler";
    }

    @Override
    public String settings() {
        return "16.12.0, pollUsingLockAndFetch(%s, %s) with %d threads, the fastest of its docs/performance.md, polling every %d ms; %d pooled connections; bulk start by scheduleBatch"
                .formatted(FETCH_AGAIN, FETCH_UP_TO, THREADS, POLL.toMillis(), CONNECTIONS);
    }

    @Override
    public boolean does(Work work) {
        return work == Work.SINGLE || work == Work.MIX || work == Work.CHAIN;
    }

    @Override
    public double share() {
        return 0.5;
    }

    @Override
    public Trial open(Server server, Load load) {
        var database = server.createEmpty("db_scheduler");
        database.run(TABLE);
        return new Running(database, load);
    }

    private static final class Running implements Trial {
        private static final TaskDescriptor<Integer> DESCRIPTOR = TaskDescriptor.of("work", Integer.class);

        private final Database database;
        private final Load load;
        private final HikariDataSource pool;
        private final Task<Integer> task;
        private final SchedulerClient client;
        private final AtomicInteger ids = new AtomicInteger();
        private @Nullable Scheduler scheduler;

        Running(Database database, Load load) {
            this.database = database;
            this.load = load;
            this.pool = Pool.of(database, CONNECTIONS);
            this.task = load.work() == Work.CHAIN ? chain() : single();
            this.client = SchedulerClient.Builder.create(pool, task).build();
        }

        private Task<Integer> single() {
            return Tasks.oneTime(DESCRIPTOR).execute((instance, context) -> handle());
        }

        private Task<Integer> chain() {
            return Tasks.custom(DESCRIPTOR).execute((instance, context) -> {
                handle();
                int step = instance.getData();
                return step == load.work().tasks(0)
                        ? new CompletionHandler.OnCompleteRemove<>()
                        : new CompletionHandler.OnCompleteReplace<>(DESCRIPTOR, step + 1);
            });
        }

        private void handle() {
            try {
                load.handle();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private TaskInstance<Integer> next() {
            return DESCRIPTOR
                    .instance(Integer.toString(ids.incrementAndGet()))
                    .data(1)
                    .build();
        }

        @Override
        public Database database() {
            return database;
        }

        @Override
        public void startOne() {
            client.scheduleIfNotExists(next(), Instant.now());
        }

        @Override
        public void startAll() {
            List<TaskInstance<?>> all = Stream.<TaskInstance<?>>generate(this::next)
                    .limit(load.runs())
                    .toList();
            client.scheduleBatch(all, Instant.now());
        }

        @Override
        public double work() throws Exception {
            var started = Scheduler.create(pool, task)
                    .threads(THREADS)
                    .pollingInterval(POLL)
                    .pollUsingLockAndFetch(FETCH_AGAIN, FETCH_UP_TO)
                    .build();
            scheduler = started;
            started.start();
            return load.secondsUntil(() -> database.is("not exists (select from scheduled_tasks)"));
        }

        @Override
        public void close() {
            if (scheduler != null) {
                scheduler.stop();
            }
            pool.close();
            database.close();
        }
    }
}
