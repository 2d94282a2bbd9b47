package io.pgflow.benchmark.contenders;

import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Server;
import java.util.stream.Stream;
import org.jobrunr.jobs.lambdas.JobRequest;
import org.jobrunr.jobs.lambdas.JobRequestHandler;
import org.jobrunr.jobs.mappers.JobMapper;
import org.jobrunr.scheduling.JobRequestScheduler;
import org.jobrunr.server.BackgroundJobServer;
import org.jobrunr.server.BackgroundJobServerConfiguration;
import org.jobrunr.server.JobActivator;
import org.jobrunr.storage.sql.postgres.PostgresStorageProvider;
import org.jobrunr.utils.mapper.jackson3.Jackson3JsonMapper;
import org.jspecify.annotations.Nullable;

/** JobRunr, its free edition, which has no chains. */
public final class JobRunr implements Contender {
    private static final int POLL_SECONDS = 5;
    private static final int CONNECTIONS = 20;

    @Override
    public String title() {
        return "JobRunr";
    }

    @Override
    public String settings() {
        return "8.7.0 (OSS), as many virtual threads as its documentation has by default (16 for each CPU), polling every %d s, the least allowed; Jackson 3; %d pooled connections; bulk start by enqueue(Stream)"
                .formatted(POLL_SECONDS, CONNECTIONS);
    }

    @Override
    public boolean does(Work work) {
        return work == Work.SINGLE || work == Work.MIX;
    }

    @Override
    public double share() {
        return 0.1;
    }

    /** A job, as it is stored. */
    public record Job() implements JobRequest {
        @Override
        public Class<Handler> getJobRequestHandler() {
            return Handler.class;
        }
    }

    /** What a job does. */
    public record Handler(Load load) implements JobRequestHandler<Job> {
        @Override
        public void run(Job job) throws Exception {
            load.handle();
        }
    }

    @Override
    public Trial open(Server server, Load load) {
        var database = server.createEmpty("jobrunr");
        return new Running(database, load);
    }

    private static final class Running implements Trial {
        private final Database database;
        private final Load load;
        private final HikariDataSource pool;
        private final Jackson3JsonMapper json = new Jackson3JsonMapper();
        private final PostgresStorageProvider storage;
        private final JobRequestScheduler client;
        private @Nullable BackgroundJobServer server;

        Running(Database database, Load load) {
            this.database = database;
            this.load = load;
            pool = Pool.of(database, CONNECTIONS);
            storage = new PostgresStorageProvider(pool);
            storage.setJobMapper(new JobMapper(json));
            client = new JobRequestScheduler(storage);
        }

        @Override
        public Database database() {
            return database;
        }

        @Override
        public void startOne() {
            client.enqueue(new Job());
        }

        @Override
        public void startAll() {
            client.enqueue(Stream.generate(Job::new).limit(load.runs()));
        }

        @Override
        public double work() throws Exception {
            var handlers = new JobActivator() {
                @Override
                public <T> T activateJob(Class<T> type) {
                    return type.cast(new Handler(load));
                }
            };
            var started = new BackgroundJobServer(
                    storage,
                    json,
                    handlers,
                    BackgroundJobServerConfiguration.usingStandardBackgroundJobServerConfiguration()
                            .andPollIntervalInSeconds(POLL_SECONDS));
            server = started;
            started.start();
            return load.secondsUntil(
                    () -> database.is("not exists (select from jobrunr_jobs where state <> 'SUCCEEDED')"));
        }

        @Override
        public void close() {
            if (server != null) {
                server.stop();
            }
            client.shutdown();
            storage.close();
            pool.close();
            database.close();
        }
    }
}
