package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

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
    public static final Duration LIMIT = Duration.ofMinutes(2);

    /** The application name of the test's own connections: all others are the workers'. */
    public static final String OBSERVER = "observer";

    private final HikariDataSource pool;
    private final HikariDataSource observers;
    private final Deque<RunningWorkers> started = new ArrayDeque<>();
    private final Deque<Client> clients = new ArrayDeque<>();
    private final Footprint before;

    private TestFlows(DataSource forWorkers, DataSource direct) {
        pool = pool(forWorkers, 20, "");
        observers = pool(direct, 8, "set application_name to " + OBSERVER);
        Endings.keep(observers);
        before = Footprint.before(pool, observers);
    }

    private static HikariDataSource pool(DataSource dataSource, int connections, String greeting) {
        var config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(
                Duration.ofSeconds(5).toMillis()); // and, once the server is back, the longest pause
        config.setConnectionInitSql(greeting);
        return new HikariDataSource(config);
    }

    /**
     * Runs flows on a database of the test's own.
     *
     * @param forWorkers what the workers and their clients are given
     * @param direct the same database for the test itself, where nothing is in the way
     */
    public static TestFlows on(DataSource forWorkers, DataSource direct) {
        return new TestFlows(forWorkers, direct);
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
                            .getOrComputeIfAbsent(
                                    TestFlows.class, key -> new TestFlows(dataSource, dataSource), TestFlows.class);
        }
    }

    /** Options for workers on this database, with grace short enough for tests. */
    public WorkerOptions options() {
        return Workers.connect(pool).grace(Duration.ofSeconds(10));
    }

    /** What {@link #options} gives to the workers. */
    public HikariDataSource pool() {
        return pool;
    }

    /** A client on the test's own connections, which needs no worker. */
    public Client client() {
        var client = Client.connect(observers);
        clients.push(client);
        return client;
    }

    /** Starts workers. */
    public RunningWorkers start(WorkerOptions options, Flow<?>... flows) {
        var workers = options.start(flows);
        started.push(workers);
        return workers;
    }

    /** Starts workers. */
    public RunningWorkers start(Flow<?>... flows) {
        return start(options(), flows);
    }

    /** Starts a worker for the flow, and a run; gives its end. */
    public <I> RunState.Completed runToEnd(Flow<I> flow, I input) throws InterruptedException {
        var client = start(flow).client();
        return client.await(client.start(flow, input), LIMIT);
    }

    /** Waits until a condition on the database holds. */
    public void await(String condition) {
        long giveUpAt = System.nanoTime() + LIMIT.toNanos();
        while (!db().fetchSingle("select " + condition).get(0, Boolean.class)) {
            if (System.nanoTime() > giveUpAt) {
                throw new AssertionError("not within " + LIMIT + ": " + condition);
            }
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }

    /** Waits until all runs have ended; then nothing may be left of them. */
    public void awaitAllEnded() {
        await("not exists (select from pgflow.runs where status = 'started')");
        Invariants.checkEnded(observers);
    }

    /** The database, by connections of the test's own. */
    public DSLContext db() {
        return DSL.using(observers, SQLDialect.POSTGRES);
    }

    /** Writes the flow into the database; nobody works on it. */
    public void compile(Flow<?> flow) {
        db().execute(flow.toSql());
    }

    /** Compiles the flow and sets its base delay to 0, so that retries come at once. */
    public void retryAtOnce(Flow<?> flow) {
        compile(flow);
        db().execute("update pgflow.flows set opt_base_delay = 0 where flow_slug = ?", flow.slug());
    }

    /** The number of messages in the flow's queue. */
    public int queued(Flow<?> flow) {
        return db().fetchCount(DSL.table(DSL.name("pgmq", "q_" + flow.slug())));
    }

    /** The statuses of the tasks of single steps in a run, by step. */
    public Map<String, String> tasks(UUID run) {
        return db().fetch("select step_slug, status from pgflow.step_tasks where run_id = ?", run)
                .intoMap(DSL.field("step_slug", String.class), DSL.field("status", String.class));
    }

    /** Every task was started once, and none was taken for lost by those who look for such. */
    public void assertNeverTakenForStalled() {
        assertThat(
                        db().fetchValue(
                                        "select count(*) from pgflow.step_tasks where requeued_count > 0 or attempts_count > 1"))
                .isEqualTo(0L);
    }

    @Override
    public void close() {
        try (observers;
                pool) {
            clients.forEach(Client::close);
            started.forEach(RunningWorkers::close);
            Invariants.check(observers);
            before.awaitRestored(LIMIT);
        }
    }
}
