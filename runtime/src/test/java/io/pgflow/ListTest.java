package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.pgflow.sql.Schema;
import io.pgflow.testing.EmptyDatabase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** Listing flows and runs, each time in a database with nothing else in it. */
@ExtendWith(TestFlows.Extension.class)
class ListTest {

    private static final Flow<String> FIRST = flow("list_first");
    private static final Flow<String> SECOND = flow("list_second");

    private DSLContext db;
    private WatchedDatabase watched;
    private Client client;

    private static Flow<String> flow(String slug) {
        var flow = Flow.of(slug, String.class);
        flow.step("only", String.class, s -> s);
        return flow.build();
    }

    @BeforeEach
    void connect(@EmptyDatabase PGSimpleDataSource database) {
        Schema.migrate(database);
        db = DSL.using(database, SQLDialect.POSTGRES);
        watched = new WatchedDatabase(database);
        client = Client.connect(watched.asDataSource());
        db.execute(FIRST.toSql());
        db.execute(SECOND.toSql());
    }

    @AfterEach
    void close() {
        client.close();
    }

    private List<UUID> list(RunQuery query) {
        return client.runs(query).stream().map(RunSummary::id).toList();
    }

    @Test
    void givesTheRunsOfAllFlowsNewestFirst() {
        var one = client.start(FIRST, "1");
        var two = client.start(SECOND, "2");
        var three = client.start(FIRST, "3");

        assertThat(list(RunQuery.newest(10))).containsExactly(three, two, one);
        assertThat(list(RunQuery.newest(2))).containsExactly(three, two);
        assertThat(list(RunQuery.newest(10).of(FIRST))).containsExactly(three, one);
        assertThat(list(RunQuery.newest(10).of("nobody"))).isEmpty();
    }

    @Test
    void tellsHowFarEachIs() {
        var failed = client.start(FIRST, "1");
        var completed = client.start(FIRST, "2");
        var started = client.start(FIRST, "3");
        db.execute("update pgflow.runs set status = 'failed', failed_at = now() where run_id = ?", failed);
        db.execute(
                "update pgflow.runs set status = 'completed', completed_at = now(), remaining_steps = 0 where run_id = ?",
                completed);

        var runs = client.runs(RunQuery.newest(10));

        assertThat(runs)
                .extracting(RunSummary::id, RunSummary::flowSlug, RunSummary::status, RunSummary::remainingSteps)
                .containsExactly(
                        tuple(started, "list_first", RunSummary.Status.STARTED, 1),
                        tuple(completed, "list_first", RunSummary.Status.COMPLETED, 0),
                        tuple(failed, "list_first", RunSummary.Status.FAILED, 1));
        assertThat(runs.get(0).endedAt()).isEmpty();
        assertThat(runs.get(1).endedAt()).isPresent();
        assertThat(runs.get(2).endedAt()).isPresent();
        assertThat(list(RunQuery.newest(10).status(RunSummary.Status.FAILED))).containsExactly(failed);
        assertThat(list(RunQuery.newest(10).status(RunSummary.Status.STARTED).of(SECOND)))
                .isEmpty();
    }

    @Test
    void goesNoFurtherBackThanItIsAsked() {
        var old = client.start(FIRST, "old");
        var fresh = client.start(FIRST, "fresh");
        db.execute("update pgflow.runs set started_at = now() - interval '1 day' where run_id = ?", old);

        assertThat(list(RunQuery.newest(10).since(Instant.now().minus(Duration.ofHours(1)))))
                .containsExactly(fresh);
        assertThat(list(RunQuery.newest(10).since(Instant.now().minus(Duration.ofDays(2)))))
                .containsExactly(fresh, old);
    }

    @Test
    void pagesThroughRunsOfOneMomentLeavingNoneOutAndGivingNoneTwice() {
        var all = new ArrayList<>(client.startAll(FIRST, Collections.nCopies(25, "x")));
        all.addAll(client.startAll(SECOND, Collections.nCopies(25, "x")));
        db.execute("update pgflow.runs set started_at = timestamptz '2026-01-01 00:00:00.123456Z'");
        var seen = new ArrayList<UUID>();
        var query = RunQuery.newest(7);

        var page = client.runs(query);
        while (!page.isEmpty()) {
            page.forEach(run -> seen.add(run.id()));
            client.start(FIRST, "newer, and not in the way");
            page = client.runs(query.olderThan(page.getLast()));
        }

        assertThat(seen).hasSize(50).containsExactlyInAnyOrderElementsOf(all);
    }

    @Test
    void readsAPageAlongTheIndexOfItsFlow() {
        client.startAll(FIRST, Collections.nCopies(1_000, "x"));
        db.execute("update pgflow.runs set started_at = now() - random() * interval '100 days'");
        db.execute("vacuum analyze pgflow.runs");
        var last = client.runs(RunQuery.newest(500)).getLast();
        for (var query : List.of(
                RunQuery.newest(5),
                RunQuery.newest(5).of(FIRST),
                RunQuery.newest(5).of(FIRST).olderThan(last),
                RunQuery.newest(5).since(last.startedAt()))) {
            int before = watched.statements().size();
            client.runs(query);
            var sql = watched.statements().get(before);
            var plan = explain(sql, query);

            assertThat(plan).as(sql).contains("idx_runs_flow_slug").doesNotContain("Seq Scan on runs");
            if (query.olderThan().isPresent()) {
                assertThat(plan).containsPattern("Index Cond: .*started_at");
            }
        }
    }

    private String explain(String sql, RunQuery query) {
        var arguments = new ArrayList<Object>();
        query.since().ifPresent(arguments::add);
        query.olderThan().ifPresent(last -> {
            arguments.add(last.startedAt());
            arguments.add(last.id());
        });
        arguments.add(query.limit());
        query.flowSlug().ifPresent(arguments::add);
        arguments.add(query.limit());
        var literals = sql;
        for (var argument : arguments) {
            literals = literals.replaceFirst(
                    "\\?", argument instanceof Integer number ? number.toString() : "'" + argument + "'");
        }
        return db.fetch("explain " + literals).format();
    }

    @Test
    void refusesALimitThatIsOutOfRange() {
        assertThatThrownBy(() -> RunQuery.newest(0)).isInstanceOf(PgflowException.InvalidOption.class);
        assertThatThrownBy(() -> RunQuery.newest(1_001))
                .isInstanceOf(PgflowException.InvalidOption.class)
                .hasMessage("option limit is '1001'; allowed: 1 to 1000");
    }

    @Test
    void givesTheFlowsWithTheOptionsThatAreInForce() {
        var builder =
                Flow.ofList("list_all_kinds", Integer.class).maxAttempts(7).timeout(Duration.ofSeconds(90));
        var doubled = builder.map("double", Integer.class, builder.input(), n -> 2 * n)
                .maxAttempts(2)
                .startDelay(Duration.ofSeconds(3));
        var other = builder.step("other", String.class, input -> "x").timeout(Duration.ofSeconds(5));
        builder.step("join", String.class, other, doubled, (o, d) -> o)
                .onlyIf(Map.of("other", "x"))
                .whenUnmet(Otherwise.SKIP_CASCADE)
                .whenExhausted(Otherwise.SKIP);
        db.execute(builder.build().toSql());
        db.execute("select pgflow.create_flow('list_empty')");
        db.execute("update pgflow.flows set opt_base_delay = 11 where flow_slug = 'list_all_kinds'");

        var flows = client.flows();

        assertThat(flows)
                .extracting(StoredFlow::slug)
                .containsExactly("list_all_kinds", "list_empty", "list_first", "list_second");
        var flow = flows.getFirst();
        assertThat(flow.maxAttempts()).isEqualTo(7);
        assertThat(flow.baseDelay()).isEqualTo(Duration.ofSeconds(11));
        assertThat(flow.timeout()).isEqualTo(Duration.ofSeconds(90));
        assertThat(flow.createdAt()).isBefore(Instant.now().plus(Duration.ofMinutes(1)));
        assertThat(flow.steps()).extracting(StoredFlow.Step::slug).containsExactly("double", "other", "join");
        var map = flow.steps().get(0);
        assertThat(map.isMap()).isTrue();
        assertThat(map.dependencies()).isEmpty();
        assertThat(map.maxAttempts()).hasValue(2);
        assertThat(map.startDelay()).hasValue(Duration.ofSeconds(3));
        assertThat(map.timeout()).isEmpty();
        var single = flow.steps().get(1);
        assertThat(single.isMap()).isFalse();
        assertThat(single.timeout()).hasValue(Duration.ofSeconds(5));
        assertThat(single.onlyIf()).isEmpty();
        assertThat(single.whenUnmet()).isEqualTo(Otherwise.SKIP);
        assertThat(single.whenExhausted()).isEqualTo(Otherwise.FAIL);
        var join = flow.steps().get(2);
        assertThat(join.dependencies()).containsExactly("double", "other");
        assertThat(join.onlyIf()).hasValue("{\"other\": \"x\"}");
        assertThat(join.whenUnmet()).isEqualTo(Otherwise.SKIP_CASCADE);
        assertThat(join.whenExhausted()).isEqualTo(Otherwise.SKIP);
        assertThat(flows.get(1).steps()).isEmpty();
    }
}
