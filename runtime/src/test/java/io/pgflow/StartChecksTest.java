package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.WorkerOptions.Compile;
import io.pgflow.WorkerOptions.FailedStart;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What hinders workers from starting is said before they start; what does not is a warning. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class StartChecksTest {

    private static Flow<String> flow(String slug, String... steps) {
        var flow = Flow.of(slug, String.class);
        for (String step : steps) {
            flow.step(step, String.class, s -> s + "!");
        }
        return flow.build();
    }

    private static HikariDataSource pool(DataSource database, int connections) {
        var config = new HikariConfig();
        config.setDataSource(database);
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(0);
        return new HikariDataSource(config);
    }

    private static void assertNoWorker(TestFlows flows) {
        assertThat(flows.db().fetchValue("select count(*) from pgflow.workers where stopped_at is null"))
                .as("workers that count as alive")
                .isEqualTo(0L);
    }

    @Test
    void refuseAPoolOfTwo(TestFlows flows, DataSource database) {
        try (var pool = pool(database, 2)) {
            assertThatThrownBy(() -> Workers.connect(pool).start(flow("pool_of_two", "a")))
                    .isInstanceOfSatisfying(
                            PgflowException.PoolTooSmall.class,
                            e -> assertThat(e.connections()).isEqualTo(2));
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
        }
        assertNoWorker(flows);
    }

    @Test
    void letAPoolOfThreeServeFiveHundredSlots(DataSource database) throws Exception {
        var builder = Flow.ofList("pool_of_three", Integer.class);
        var negated = builder.map("negate", Integer.class, builder.input(), n -> -n);
        var flow = builder.build();
        try (var pool = pool(database, 3);
                var client = Client.connect(database);
                var workers = Workers.connect(pool).concurrency(500).start(flow)) {
            var run = client.start(flow, IntStream.range(0, 1000).boxed().toList());

            assertThat(client.await(run, TestFlows.LIMIT).of(negated)).hasSize(1000);
            assertThat(workers.snapshot().getFirst().freeSlots()).isPositive();
        }
    }

    @Test
    void refuseAValueOfTheEnvironmentNamingVariableAndRange(TestFlows flows) {
        var options = flows.options().environment(Map.of("PGFLOW_CONCURRENCY", "none"));

        assertThatThrownBy(() -> options.start(flow("bad_variable", "a")))
                .isInstanceOf(PgflowException.InvalidOption.class)
                .hasMessageContainingAll("PGFLOW_CONCURRENCY", "none", "1 to 100000");
    }

    @Test
    void refuseOneIdForTwoWorkersAndAFlowGivenTwice(TestFlows flows) {
        var one = flow("one", "a");
        var two = flow("two", "a");

        assertThatThrownBy(() -> flows.options().workerId(UUID.randomUUID()).start(one, two))
                .isInstanceOf(PgflowException.InvalidOption.class)
                .hasMessageContaining("single flow");
        assertThatThrownBy(() -> flows.options().start(one, one)).isInstanceOf(PgflowException.InvalidFlow.class);
        assertThatThrownBy(() -> flows.options().start()).isInstanceOf(PgflowException.InvalidOption.class);
    }

    @Test
    void nameAFunctionThatIsMissing(TestFlows flows) {
        flows.db().execute("alter function pgflow.heartbeat(uuid) rename to no_heartbeat");
        try {
            assertThatThrownBy(() -> flows.start(flow("no_function", "a")))
                    .isInstanceOf(PgflowException.SchemaMismatch.class)
                    .hasMessageContaining("no function pgflow.heartbeat");
        } finally {
            flows.db().execute("alter function pgflow.no_heartbeat(uuid) rename to heartbeat");
        }
    }

    @Test
    void writeNothingWhereTheyShallVerify(TestFlows flows) {
        var flow = flow("verified", "a");
        var options = flows.options().compile(Compile.VERIFY);

        assertThatThrownBy(() -> options.start(flow))
                .isInstanceOfSatisfying(
                        PgflowException.FlowMissing.class,
                        e -> assertThat(e.flow()).isEqualTo("verified"));
        assertThat(flows.db().fetchValue("select count(*) from pgflow.flows where flow_slug = 'verified'"))
                .isEqualTo(0L);

        flows.compile(flow);
        flows.start(options, flow);
        assertThatThrownBy(() -> options.start(flow("verified", "a", "b")))
                .isInstanceOf(PgflowException.FlowMismatch.class);
    }

    @Test
    void leaveTheSchemaAloneWhereTheyShallVerify(TestFlows flows) {
        var flow = flow("verified_schema", "a");
        flows.compile(flow);
        var functions = "select count(*) from pgflow.schema_history where file like '%/heartbeat.sql'";
        assertThat(flows.db().fetchValue(functions)).as("files of that name").isEqualTo(1L);
        flows.db().execute("update pgflow.schema_history set checksum = 'another' where file like '%/heartbeat.sql'");

        assertThatThrownBy(() -> flows.options().compile(Compile.VERIFY).start(flow))
                .isInstanceOf(PgflowException.SchemaMismatch.class)
                .hasMessageContainingAll("older", "heartbeat", "Schema.migrate");

        flows.start(flow).close(); // which brings it up to date
        flows.start(flows.options().compile(Compile.VERIFY), flow);
    }

    @Test
    void recompileAtThePriceOfTheFlowsRuns(TestFlows flows) throws Exception {
        var first = flow("recompiled", "a");
        try (var workers = flows.start(first)) {
            workers.client().await(workers.client().start(first, "x"), TestFlows.LIMIT);
        }
        var second = flow("recompiled", "a", "b");

        var workers = flows.start(flows.options().compile(Compile.RECOMPILE), second);

        assertThat(flows.db().fetchValue("select count(*) from pgflow.runs where flow_slug = 'recompiled'"))
                .isEqualTo(0L);
        assertThat(workers.client()
                        .await(workers.client().start(second, "y"), TestFlows.LIMIT)
                        .steps())
                .hasSize(2);
    }

    @Test
    void keepTheRunsOfAFlowThatNeedsNoRecompiling(TestFlows flows) throws Exception {
        var flow = flow("not_recompiled", "a");
        try (var workers = flows.start(flow)) {
            workers.client().await(workers.client().start(flow, "x"), TestFlows.LIMIT);
        }

        flows.start(flows.options().compile(Compile.RECOMPILE), flow);

        assertThat(flows.db().fetchValue("select count(*) from pgflow.runs where flow_slug = 'not_recompiled'"))
                .isEqualTo(1L);
    }

    @Test
    void stopAllWhereOneFlowCannotBeServedUnlessTheOthersShallGoOn(TestFlows flows) {
        var good = flow("good_one", "a");
        var bad = flow("bad_one", "a", "b");
        flows.compile(flow("bad_one", "a"));

        assertThatThrownBy(() -> flows.options().start(good, bad)).isInstanceOf(PgflowException.FlowMismatch.class);
        assertNoWorker(flows);

        try (var log = LogCapture.of("io.pgflow")) {
            var workers = flows.start(flows.options().failedStart(FailedStart.LEAVE_OTHERS), bad, good);
            assertThat(workers.snapshot()).extracting(WorkerSnapshot::flowSlug).containsExactly("good_one");
            assertThat(log.messages("flow_not_served"))
                    .singleElement()
                    .asString()
                    .startsWith("ERROR event=flow_not_served flow=bad_one");
        }
        assertThatThrownBy(() ->
                        flows.options().failedStart(FailedStart.LEAVE_OTHERS).start(bad))
                .as("none is left")
                .isInstanceOf(PgflowException.FlowMismatch.class);
    }

    @Test
    void warnOnceOfOptionsThatOperatorsChanged(TestFlows flows) {
        var builder = Flow.of("tuned", String.class).maxAttempts(3).timeout(Duration.ofSeconds(10));
        builder.step("a", String.class, s -> s).baseDelay(Duration.ofSeconds(2));
        builder.step("b", String.class, s -> s);
        var flow = builder.build();
        try (var log = LogCapture.of("io.pgflow")) {
            flows.start(flow).close();
            assertThat(log.messages("options_differ")).isEmpty();
        }
        flows.db().execute("update pgflow.flows set opt_timeout = 20, opt_base_delay = 7 where flow_slug = 'tuned'");
        flows.db().execute("update pgflow.steps set opt_base_delay = 9 where flow_slug = 'tuned'");

        try (var log = LogCapture.of("io.pgflow")) {
            flows.start(flow);
            assertThat(log.messages("options_differ"))
                    .isEqualTo(
                            List.of(
                                    "WARN event=options_differ flow=tuned in_database=\"timeout is 20, not 10, baseDelay of step 'a' is 9, not 2\" next=\"the database's rule\""));
        }
    }
}
