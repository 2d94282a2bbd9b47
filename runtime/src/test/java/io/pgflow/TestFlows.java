package io.pgflow;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.testing.Endings;
import io.pgflow.testing.Invariants;
import io.pgflow.testing.TestDatabases;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Runs flows in this JVM, on the database of the test class. After the test method, what was started is closed; then {@link Invariants} must hold, and
 * {@link Footprint} be what it was.
 */
public final class TestFlows implements AutoCloseable {

    /** How long a test waits for anything at most. */
    static final Duration LIMIT = Duration.ofMinutes(2);

    private final HikariDataSource pool;
    private final Deque<RunningWorkers> started = new ArrayDeque<>();
    private final Footprint before;

    private TestFlows(DataSource dataSource) {
        var config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(20);
        config.setMinimumIdle(0);
        pool = new HikariDataSource(config);
        Endings.keep(pool);
        before = Footprint.before(pool);
    }

    /** Gives test methods their {@link TestFlows}. */
    public static final class Extension implements ParameterResolver {
        private static final TestDatabases DATABASES = new TestDatabases();

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == TestFlows.class
                    || DATABASES.supportsParameter(parameter, context);
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            var dataSource = DATABASES.resolveParameter(parameter, context);
            return parameter.getParameter().getType() != TestFlows.class
                    ? dataSource
                    : context.getStore(Namespace.create(TestFlows.class))
                            .getOrComputeIfAbsent(TestFlows.class, key -> new TestFlows(dataSource), TestFlows.class);
        }
    }

    /** Options for workers on this database, with grace short enough for tests. */
    WorkerOptions options() {
        return Workers.connect(pool).grace(Duration.ofSeconds(10));
    }

    /** Starts workers. */
    RunningWorkers start(WorkerOptions options, Flow<?>... flows) {
        var workers = options.start(flows);
        started.push(workers);
        return workers;
    }

    /** Starts workers. */
    RunningWorkers start(Flow<?>... flows) {
        return start(options(), flows);
    }

    /** Starts a worker for the flow, and a run; gives its end. */
    <I> RunState.Completed runToEnd(Flow<I> flow, I input) throws InterruptedException {
        var client = start(flow).client();
        return client.await(client.start(flow, input), LIMIT);
    }

    /** Waits until a condition on the database holds. */
    void await(String condition) throws InterruptedException {
        long giveUpAt = System.nanoTime() + LIMIT.toNanos();
        while (!db().fetchSingle("select " + condition).get(0, Boolean.class)) {
            if (System.nanoTime() > giveUpAt) {
                throw new AssertionError("not within " + LIMIT + ": " + condition);
            }
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }

    /** The database. */
    DSLContext db() {
        return DSL.using(pool, SQLDialect.POSTGRES);
    }

    /** Writes the flow into the database; nobody works on it. */
    void compile(Flow<?> flow) {
        db().execute(flow.toSql());
    }

    /** Compiles the flow and sets its base delay to 0, so that retries come at once. */
    void retryAtOnce(Flow<?> flow) {
        compile(flow);
        db().execute("update pgflow.flows set opt_base_delay = 0 where flow_slug = ?", flow.slug());
    }

    /** The number of messages in the flow's queue. */
    int queued(Flow<?> flow) {
        return db().fetchCount(DSL.table(DSL.name("pgmq", "q_" + flow.slug())));
    }

    /** The statuses of the tasks of single steps in a run, by step. */
    Map<String, String> tasks(UUID run) {
        return db().fetch("select step_slug, status from pgflow.step_tasks where run_id = ?", run)
                .intoMap(DSL.field("step_slug", String.class), DSL.field("status", String.class));
    }

    @Override
    public void close() {
        try (pool) {
            started.forEach(RunningWorkers::close);
            Invariants.check(pool);
            before.awaitRestored(LIMIT);
        }
    }
}
