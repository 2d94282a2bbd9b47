package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.pgflow.Flow;
import io.pgflow.PgflowException;
import io.pgflow.TestFlows;
import io.pgflow.WorkerMetrics;
import io.pgflow.Workers;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** The engine needs three connections, whatever handlers do with the others, and however many of them run. */
@ExtendWith(TestFlows.Extension.class)
class ScarceConnectionsTest {

    private static final Duration BEAT = Duration.ofMillis(200);

    /** How long a pool without a free connection is asked for one. */
    private static final Duration PATIENCE = Duration.ofSeconds(4);

    private static HikariDataSource pool(DataSource database, int connections) {
        var config = new HikariConfig();
        config.setDataSource(database);
        config.setMaximumPoolSize(connections);
        config.setConnectionTimeout(PATIENCE.toMillis());
        return new HikariDataSource(config);
    }

    private static DataSource ofUnknownSize(DataSource pool) {
        return (DataSource) Proxy.newProxyInstance(
                DataSource.class.getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                    try {
                        return method.getName().equals("isWrapperFor") ? false : method.invoke(pool, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Asks for one more, and keeps what the engine would give back, until it is interrupted. */
    private static Thread wantMore(DataSource pool) {
        return Thread.ofPlatform().daemon().start(() -> {
            try (Connection more = pool.getConnection()) {
                new CountDownLatch(1).await();
                more.commit();
            } catch (SQLException | InterruptedException e) {
                // there was none, or it is over
            }
        });
    }

    @Test
    void worksWhileHandlersHoldAllOthers(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var calls = new Calls();
        var held = new CountDownLatch(3);
        var release = new CountDownLatch(1);
        try (var pool = pool(database, 6)) {
            var builder = Flow.ofList("greedy", Integer.class).maxAttempts(1);
            builder.map("element", Integer.class, builder.input(), builder.context(), (n, task) -> {
                calls.add(task);
                if (n >= 3) {
                    return n;
                }
                try (Connection mine = pool.getConnection()) {
                    held.countDown();
                    release.await();
                    return mine.isValid(0) ? n : -1;
                }
            });
            var flow = builder.build();
            var options = Workers.connect(pool).concurrency(5).heartbeatInterval(BEAT);
            try (var worker = options.recoveryInterval(BEAT).start(flow)) {
                var client = flows.client();
                var greedy = client.start(flow, IntStream.range(0, 3).boxed().toList());
                held.await();
                var others = wantMore(pool);
                assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isEqualTo(6);

                client.start(flow, IntStream.range(3, 500).boxed().toList());
                flows.await(
                        "count(*) = 497 from pgflow.step_tasks where flow_slug = 'greedy' and status = 'completed'");
                awaitBeat(flows, "greedy");
                awaitBeat(flows, "greedy");
                others.interrupt();
                release.countDown();

                assertThat(client.await(greedy, TestFlows.LIMIT).output()).hasValue("{\"element\": [0, 1, 2]}");
                assertThat(worker.snapshot()).hasSize(1);
            }
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
        }
        flows.awaitAllEnded();
        calls.assertOnceEach(flows.db(), "greedy");
    }

    private static void awaitBeat(TestFlows flows, String slug) {
        String last = "last_heartbeat_at) %s from pgflow.workers where queue_name = '" + slug + "'";
        var beat =
                flows.db().fetchSingle("select max(" + last.formatted("::text")).get(0, String.class);
        flows.await("max(" + last.formatted("> '" + beat + "'"));
    }

    @Test
    void servesFiveHundredSlotsWithThree(TestFlows flows, PGSimpleDataSource database) {
        var calls = new Calls();
        var together = new CountDownLatch(500);
        var builder = Flow.ofList("many_slots", Integer.class).maxAttempts(1);
        builder.map("element", Integer.class, builder.input(), builder.context(), (n, task) -> {
            calls.add(task);
            if (n < 500) {
                together.countDown();
                together.await(); // opens only while all slots are taken
            }
            return n;
        });
        var flow = builder.build();
        try (var pool = pool(database, 3)) {
            try (var worker = Workers.connect(pool).concurrency(500).start(flow)) {
                flows.client().start(flow, IntStream.range(0, 2_000).boxed().toList());
                flows.awaitAllEnded();
                assertThat(worker.snapshot()).hasSize(1);
            }
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
        }
        calls.assertOnceEach(flows.db(), "many_slots");
    }

    /** They need a connection that is not there: nobody waits for it but they. */
    @Test
    @Timeout(150) // less than a pool's patience
    void showsMetersWithThree(TestFlows flows, PGSimpleDataSource database) {
        var calls = new Calls();
        var flow = SumOfSquares.flow("metered_with_three", calls::add);
        var registry = new SimpleMeterRegistry();
        try (var pool = pool(database, 3)) {
            pool.setConnectionTimeout(Duration.ofHours(1).toMillis());
            var options = Workers.connect(pool).heartbeatInterval(BEAT).recoveryInterval(BEAT);
            try (var worker = options.listener(metrics(registry)).start(flow)) {
                await(() -> registry.find("pgflow.queue.tasks").gauge() != null);
                assertThat(registry.get("pgflow.queue.tasks").gauge().value()).isNaN();
                assertThat(registry.get("pgflow.queue.age").timeGauge().value()).isNaN();
                await(() -> pool.getHikariPoolMXBean().getThreadsAwaitingConnection() == 1);

                for (int runs = 1;
                        runs <= 3;
                        runs++) { // each connection that is lost is one that a meter was first to ask for
                    flows.client().start(flow, 50);
                    flows.db()
                            .execute(
                                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name <> ?",
                                    TestFlows.OBSERVER);
                    flows.awaitAllEnded();
                    awaitBeat(flows, flow.slug());
                    registry.getMeters().forEach(Meter::measure);
                }
                assertThat(worker.snapshot()).hasSize(1);
            }
            await(() -> pool.getHikariPoolMXBean().getActiveConnections() == 0);
        }
        SumOfSquares.assertRight(flows.db(), flow.slug(), 3);
    }

    /** What a meter has asked for and got is given back although there is no answer. */
    @Test
    void leavesNoneWithAMeterThatGetsNoAnswer(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = SumOfSquares.flow("meter_without_answer", task -> {});
        var registry = new SimpleMeterRegistry();
        var given = new CompletableFuture<Connection>();
        try (var pool = pool(database, 4);
                var worker = Workers.connect(watched(pool, "pgflow-backlog", given))
                        .listener(metrics(registry))
                        .start(flow)) {
            await(() -> registry.find("pgflow.queue.tasks").gauge() != null);
            try (var connection = database.getConnection();
                    var lock = connection.createStatement()) {
                connection.setAutoCommit(false);
                lock.execute("lock table pgmq.q_meter_without_answer");

                registry.get("pgflow.queue.tasks").gauge().value();

                var meters = given.get(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS);
                await(() -> isClosed(meters));
                connection.rollback();
            }
            assertThat(worker.snapshot()).hasSize(1);
        }
    }

    /** Shows the first connection that a thread of this name is given. */
    private static DataSource watched(DataSource pool, String thread, CompletableFuture<Connection> given) {
        return (DataSource) Proxy.newProxyInstance(
                DataSource.class.getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                    Object result = method.invoke(pool, arguments);
                    if (result instanceof Connection connection
                            && Thread.currentThread().getName().equals(thread)) {
                        given.complete(connection);
                    }
                    return result;
                });
    }

    private static boolean isClosed(Connection connection) {
        try {
            return connection.isClosed();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static WorkerMetrics metrics(MeterRegistry registry) {
        var metrics = new WorkerMetrics();
        metrics.bindTo(registry);
        return metrics;
    }

    private static void await(BooleanSupplier condition) {
        long giveUpAt = System.nanoTime() + TestFlows.LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(giveUpAt);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Whether the pool says how large it is or has to be tried; nothing of the worker is left then. */
    @Test
    void refusesToStartWithTwo(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var builder = Flow.of("two", Integer.class);
        builder.step("a", Integer.class, n -> n);
        var flow = builder.build();
        try (var pool = pool(database, 2)) {
            assertThatThrownBy(() -> Workers.connect(pool).start(flow))
                    .isInstanceOf(PgflowException.PoolTooSmall.class)
                    .hasMessageContaining("2")
                    .hasMessageContaining("3")
                    .hasNoCause(); // none was asked for
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();

            assertThatThrownBy(() -> Workers.connect(ofUnknownSize(pool)).start(flow))
                    .isInstanceOf(PgflowException.PoolTooSmall.class)
                    .hasMessageContaining("2")
                    .hasMessageContaining("3");
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
        }
        assertThat(flows.db().fetch("select from pgflow.workers where queue_name = 'two' and stopped_at is null"))
                .isEmpty();
    }
}
