package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.MDC;

/** What a handler knows beside its values. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class TaskContextTest {

    record Seen(UUID run, String flow, String step, int index, int attempt, UUID worker, Map<String, String> mdc) {}

    private static final String INPUTS = "\"pgflow\".\"runs\".\"input\"";

    @Test
    void tellsWhatRunsAndSoDoesTheMdc(TestFlows flows) throws Exception {
        var seen = new ConcurrentLinkedQueue<Seen>();
        var builder = Flow.ofList("context", String.class);
        builder.map("look", String.class, builder.input(), builder.context(), (name, task) -> {
            assertThat(task.deadline()).isAfter(Instant.now());
            assertThat(task.cancelled()).isFalse();
            seen.add(new Seen(
                    task.runId(),
                    task.flowSlug(),
                    task.stepSlug(),
                    task.taskIndex(),
                    task.attempt(),
                    task.workerId(),
                    MDC.getCopyOfContextMap()));
            return name;
        });
        var flow = builder.build();
        var id = UUID.randomUUID();
        var client = flows.start(flows.options().workerId(id), flow).client();

        var run = client.start(flow, List.of("a", "b"));
        client.await(run, TestFlows.LIMIT);

        assertThat(seen)
                .containsExactlyInAnyOrderElementsOf(IntStream.range(0, 2)
                        .mapToObj(n -> new Seen(
                                run,
                                "context",
                                "look",
                                n,
                                1,
                                id,
                                Map.of("run", run.toString(), "step", "look", "index", Integer.toString(n))))
                        .toList());
    }

    @Test
    void hasTheRunsInputWhichIsFetchedOnceHoweverManyAsk(TestFlows flows, PGSimpleDataSource direct) throws Exception {
        var database = new WatchedDatabase(direct);
        var builder = Flow.ofList("input_on_demand", Integer.class);
        var input = builder.input();
        var sizes = builder.map("size", Integer.class, input, builder.context(), (n, task) -> {
            return task.input(input).size();
        });
        var flow = builder.build();
        try (var workers = Workers.connect(database.asDataSource()).start(flow)) {
            var client = flows.client();
            var run = client.start(flow, IntStream.range(0, 50).boxed().toList());

            assertThat(client.await(run, TestFlows.LIMIT).of(sizes)).hasSize(50).containsOnly(50);

            assertThat(database.statements(INPUTS)).isEqualTo(1);
            assertThat(workers.snapshot()).hasSize(1);
        }
    }

    @Test
    void doesWithoutTheRunsInputWhereNobodyAsks(TestFlows flows, PGSimpleDataSource direct) throws Exception {
        var database = new WatchedDatabase(direct);
        var builder = Flow.ofList("input_not_asked_for", Integer.class);
        builder.map("same", Integer.class, builder.input(), n -> n);
        var flow = builder.build();
        try (var workers = Workers.connect(database.asDataSource()).start(flow)) {
            var client = flows.client();
            client.await(client.start(flow, List.of(1, 2)), TestFlows.LIMIT);

            assertThat(database.statements(INPUTS)).isZero();
            assertThat(workers.snapshot()).hasSize(1);
        }
    }

    @Test
    void waitsForTheRunsInputWhileItCannotBeReadAndLosesNoAttempt(TestFlows flows, PGSimpleDataSource direct)
            throws Exception {
        var database = new UnreliableDatabase(direct);
        var builder = Flow.of("input_late", String.class);
        var first = builder.step("first", String.class, s -> s + 1);
        var both = builder.step("both", String.class, builder.input(), first, (s, one) -> s + one);
        var flow = builder.build();
        try (var workers = Workers.connect(database).start(flow)) {
            var broken = database.breakBefore(INPUTS);
            var client = flows.client();
            var run = client.start(flow, "x");
            UnreliableDatabase.await(broken);

            database.mend();

            assertThat(client.await(run, TestFlows.LIMIT).of(both)).isEqualTo("xx1");
            assertThat(flows.db().fetchValue("select max(attempts_count) from pgflow.step_tasks where run_id = ?", run))
                    .isEqualTo(1);
            assertThat(workers.snapshot()).hasSize(1);
        }
    }

    @Test
    void readsADependencyThatWasSkippedAsAnEmptyOptional(TestFlows flows) throws Exception {
        var builder = Flow.of("skipped_dependency", String.class);
        var skipped = builder.step("skipped", String.class, s -> s)
                .onlyIf(Map.of("no", "such member"))
                .whenUnmet(Otherwise.SKIP);
        var done = builder.step("done", String.class, s -> s + "!");
        var seen = builder.step(
                "seen", String.class, skipped.optional(), done.optional(), (a, b) -> a + " " + b.map(String::length));
        var flow = builder.build();

        assertThat(flows.runToEnd(flow, "x").of(seen)).isEqualTo(Optional.empty() + " " + Optional.of(2));
    }
}
