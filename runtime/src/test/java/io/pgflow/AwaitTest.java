package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.internal.Form;
import io.pgflow.internal.Json;
import io.pgflow.internal.RunListener;
import io.pgflow.internal.RunWatch;
import io.pgflow.testing.EmptyDatabase;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** Who waits for the end of a run is woken, by the database or the process, whatever happens in between; and waiting costs next to nothing. */
@ExtendWith(TestFlows.Extension.class)
class AwaitTest {

    private static final Duration NEVER = Duration.ofHours(1);

    /** With these only an announcement ends a wait. */
    private static final RunWatch.Pauses NO_POLLS = new RunWatch.Pauses(NEVER, NEVER, NEVER);

    private static Flow<String> flow(String slug) {
        var flow = Flow.of(slug, String.class).maxAttempts(1);
        flow.step("only", String.class, s -> s);
        return flow.build();
    }

    /** A client of its own, as {@link Client#connect} makes it, with these pauses. */
    private static Client client(DataSource database, DataSource ofListener, RunWatch.Pauses pauses) {
        var queries = Form.SETS.clientQueries(database);
        var watch = new RunWatch(queries, heard -> new RunListener(ofListener, queries, heard), pauses);
        return new Client(queries, watch, new Json(), watch::close);
    }

    private static Client client(DataSource database, RunWatch.Pauses pauses) {
        return client(database, database, pauses);
    }

    private static <T> CompletableFuture<T> inBackground(Callable<T> work) {
        var result = new CompletableFuture<T>();
        Thread.ofVirtual().start(() -> {
            try {
                result.complete(work.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    private static <T> T within(CompletableFuture<T> result) {
        return result.orTimeout(2, TimeUnit.MINUTES).join();
    }

    private static void awaitMark(TestFlows flows, UUID run) throws InterruptedException {
        flows.await("awaited from pgflow.runs where run_id = '" + run + "'");
    }

    /** A statement that completes the only task of each run, as a worker elsewhere does. */
    private static String complete(TestFlows flows, Flow<?> flow) {
        var worker = UUID.randomUUID();
        flows.db().execute("select pgflow.register_worker(?, ?, 'test')", worker, flow.slug());
        return """
                select count(*) from pgflow.claim_tasks('%s', '%s', 1000) t
                cross join lateral pgflow.complete_task(t.run_id, t.step_slug, t.task_index, '1')""".formatted(flow.slug(), worker);
    }

    @Test
    void isWokenByTheDatabaseWhereTheRunEndsElsewhere(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("ends_elsewhere");
        flows.compile(flow);
        try (var client = client(database, NO_POLLS)) {
            var run = client.start(flow, "x");
            var waiting = inBackground(() -> client.await(run, TestFlows.LIMIT));
            awaitMark(flows, run);

            flows.db().execute(complete(flows, flow));

            assertThat(within(waiting).id()).isEqualTo(run);
        }
    }

    @Test
    void isWokenByTheWorkerOfItsOwnProcess(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        var release = new CountDownLatch(1);
        var builder = Flow.of("ends_here", String.class);
        builder.step("only", String.class, s -> {
            release.await();
            return s;
        });
        var flow = builder.build();
        var watched = new WatchedDatabase(database);
        try (var workers = Workers.connect(watched.asDataSource()).start(flow)) {
            // no look at the database tells of the end, and nothing is announced
            DSL.using(database, SQLDialect.POSTGRES).execute("""
                    create or replace function pgflow.await_runs(run_ids uuid[])
                    returns table (run_id uuid, status text, awaited boolean) language sql as $$ select u, 'started', true from unnest(run_ids) u $$""");
            var run = workers.client().start(flow, "x");
            var waiting = inBackground(() -> workers.client().await(run, TestFlows.LIMIT));
            watched.awaitStatements("await_runs", 1);

            release.countDown();

            assertThat(within(waiting).id()).isEqualTo(run);
        }
    }

    @Test
    void findsTheEndByItselfWhereNothingIsAnnounced(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("unannounced");
        flows.compile(flow);
        try (var client = Client.connect(database)) {
            var run = client.start(flow, "x");
            var waiting = inBackground(() -> client.await(run, TestFlows.LIMIT));
            awaitMark(flows, run);
            flows.db().execute("update pgflow.runs set awaited = false where run_id = ?", run);

            flows.db().execute(complete(flows, flow));

            assertThat(within(waiting).id()).isEqualTo(run);
        }
    }

    @Test
    void seesAnEndThatIsUnderWayWhenItBeginsToWait(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("ending_meanwhile");
        flows.compile(flow);
        var watched = new WatchedDatabase(database);
        try (var client = client(watched, new RunWatch.Pauses(NEVER, NEVER, Duration.ofMillis(50)))) {
            var run = client.start(flow, "x");
            var completing = complete(flows, flow);
            var waiting = flows.db().transactionResult(ending -> {
                ending.dsl().execute(completing); // holds the run, and announces nothing
                var begun = inBackground(() -> client.await(run, TestFlows.LIMIT));
                watched.awaitStatements("await_runs", 2);
                assertThat(begun).isNotDone();
                return begun;
            });

            assertThat(within(waiting).id()).isEqualTo(run);
        }
    }

    @Test
    void seesAnEndThatWasAnnouncedBeforeItListened(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("not_listening_yet");
        flows.compile(flow);
        var ofListener = new WatchedDatabase(database);
        ofListener.withhold();
        try (var client = client(database, ofListener, NO_POLLS)) {
            var run = client.start(flow, "x");
            var waiting = inBackground(() -> client.await(run, TestFlows.LIMIT));
            awaitMark(flows, run);
            flows.db().execute(complete(flows, flow));
            assertThat(waiting).isNotDone();

            ofListener.give();

            assertThat(within(waiting).id()).isEqualTo(run);
        }
    }

    @Test
    void outlivesItsConnections(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("terminated");
        flows.compile(flow);
        database.setApplicationName("terminated");
        var watched = new WatchedDatabase(database);
        watched.setApplicationName("terminated");
        try (var client = client(watched, NO_POLLS)) {
            for (int round = 1; round <= 3; round++) {
                var run = client.start(flow, "x");
                var waiting = inBackground(() -> client.await(run, TestFlows.LIMIT));
                awaitMark(flows, run);
                watched.awaitStatements("listen \"pgflow.run_ended\"", round);

                flows.db()
                        .execute(
                                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'terminated'");
                flows.db().execute(complete(flows, flow)); // perhaps before somebody listens again

                assertThat(within(waiting).id()).isEqualTo(run);
            }
        }
    }

    @Test
    void keepsAThousandWaitingOnAHandfulOfConnections(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("a_thousand");
        flows.compile(flow);
        var watched = new WatchedDatabase(database);
        var config = new HikariConfig();
        config.setDataSource(watched);
        config.setMaximumPoolSize(6);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(5_000);
        try (var pool = new HikariDataSource(config);
                var client = Client.connect(pool)) {
            var runs = client.startAll(flow, Collections.nCopies(1_000, "x"));
            var waiting = new ArrayList<CompletableFuture<RunState.Completed>>();
            for (var run : runs) waiting.add(inBackground(() -> client.await(run, Duration.ofMinutes(2))));
            flows.await("count(*) = 1000 from pgflow.runs where awaited and flow_slug = 'a_thousand'");

            flows.start(flows.options().concurrency(100), flow);

            assertThat(waiting.stream().map(AwaitTest::within).map(RunState::id))
                    .isEqualTo(runs);
            assertThat(watched.mostOpen()).isLessThanOrEqualTo(6);
            assertThat(watched.statements("await_runs")).as("looks").isLessThan(500);
        }
    }

    @Test
    void asksAboutOnceInAFewSecondsHoweverManyWait(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("long_wait");
        flows.compile(flow);
        var watched = new WatchedDatabase(database);
        try (var client = Client.connect(watched.asDataSource())) {
            var runs = client.startAll(flow, Collections.nCopies(100, "x"));
            var waiting = runs.stream()
                    .map(run -> inBackground(() -> client.await(run, TestFlows.LIMIT)))
                    .toList();
            flows.await("count(*) = 100 from pgflow.runs where awaited and flow_slug = 'long_wait'");
            watched.awaitStatements("listen \"pgflow.run_ended\"", 1);
            int before = watched.statements().size();
            long began = System.nanoTime();

            Thread.sleep(6_000); // at least; the time measured over

            int sent = watched.statements().size() - before;
            var lasted = Duration.ofNanos(System.nanoTime() - began);
            assertThat(sent).isLessThanOrEqualTo(1 + (int) lasted.toSeconds());
            assertThat(waiting).noneMatch(CompletableFuture::isDone);
        }
    }

    @Test
    void leavesNothingBehindWhenInterrupted(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("interrupted");
        flows.compile(flow);
        var watched = new WatchedDatabase(database);
        try (var client = client(watched, new RunWatch.Pauses(Duration.ofMillis(20), Duration.ofMillis(20), NEVER))) {
            var run = client.start(flow, "x");
            for (var builder : List.of(Thread.ofVirtual(), Thread.ofPlatform())) {
                var thrown = new CompletableFuture<Throwable>();
                var thread = builder.start(() -> {
                    try {
                        client.await(run, TestFlows.LIMIT);
                    } catch (Throwable e) {
                        thrown.complete(e);
                    }
                });
                watched.awaitStatements("await_runs", (int) watched.statements("await_runs") + 2);

                thread.interrupt();

                assertThat(within(thrown)).isInstanceOf(InterruptedException.class);
                int asked = Math.toIntExact(watched.statements("await_runs"));
                Thread.sleep(500); // 25 looks, if anybody waited
                assertThat(watched.statements("await_runs")).isLessThanOrEqualTo(asked + 1);
            }
            flows.db().execute(complete(flows, flow));
            assertThat(client.await(run, TestFlows.LIMIT).id()).isEqualTo(run);
        }
    }

    @Test
    void wakesAllWhoWaitForTheSameRun(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("popular");
        flows.compile(flow);
        try (var client = client(database, NO_POLLS);
                var other = client(database, NO_POLLS)) {
            var run = client.start(flow, "x");
            var waiting = IntStream.range(0, 50)
                    .mapToObj(i -> inBackground(() -> (i % 2 == 0 ? client : other).await(run, TestFlows.LIMIT)))
                    .toList();
            awaitMark(flows, run);

            flows.db().execute(complete(flows, flow));

            assertThat(waiting).allSatisfy(one -> assertThat(within(one).id()).isEqualTo(run));
        }
    }

    @Test
    void returnsWhatHasEndedWhateverTheLimit(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("ended_already");
        flows.compile(flow);
        try (var client = Client.connect(database)) {
            var run = client.start(flow, "x");
            assertThatThrownBy(() -> client.await(run, Duration.ZERO))
                    .isInstanceOf(PgflowException.RunUnfinished.class);
            assertThatThrownBy(() -> client.await(run, Duration.ofMillis(50)))
                    .isInstanceOf(PgflowException.RunUnfinished.class)
                    .hasMessage(
                            "run " + run + " has not ended within PT0.05S. It goes on: wait again, or read its steps.");

            flows.db().execute(complete(flows, flow));

            assertThat(client.await(run, Duration.ZERO).id()).isEqualTo(run);
            assertThat(client.await(run, Duration.ofSeconds(-1)).id()).isEqualTo(run);
            assertThat(client.await(run, ChronoUnit.FOREVER.getDuration()).id()).isEqualTo(run);
        }
    }

    @Test
    void refusesARunThatIsNotThere(PGSimpleDataSource database) {
        try (var client = Client.connect(database)) {
            var unknown = UUID.randomUUID();
            for (var limit : List.of(TestFlows.LIMIT, Duration.ZERO)) {
                var thrown =
                        catchThrowableOfType(PgflowException.RunNotFound.class, () -> client.await(unknown, limit));
                assertThat(thrown.run()).isEqualTo(unknown);
            }
        }
    }

    @Test
    void endsWithAnErrorWhenTheClientIsClosed(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("closed_client");
        flows.compile(flow);
        var client = Client.connect(database);
        var run = client.start(flow, "x");
        var waiting = inBackground(() -> client.await(run, TestFlows.LIMIT));
        awaitMark(flows, run);

        client.close();
        client.close();

        assertThatThrownBy(() -> within(waiting))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> client.await(run, TestFlows.LIMIT)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void givesBackItsThreadsAndConnectionsWhenClosed(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("given_back");
        flows.compile(flow);
        var watched = new WatchedDatabase(database);
        try (var client = Client.connect(watched.asDataSource())) {
            var run = client.start(flow, "x");
            var waiting = inBackground(() -> client.await(run, TestFlows.LIMIT));
            awaitMark(flows, run);
            watched.awaitStatements("listen \"pgflow.run_ended\"", 1);
            flows.db().execute(complete(flows, flow));
            within(waiting);
            assertThat(watched.open()).as("the listener's").isEqualTo(1);
        }

        assertThat(watched.open()).isZero();
        assertThat(watched.statements()).as("what a pool gets back is deaf").endsWith("unlisten *");
    }

    @Test
    void carriesTheFailedStepAndItsMessage(TestFlows flows) throws Exception {
        var builder = Flow.of("fails", String.class).maxAttempts(1);
        var fine = builder.step("fine", String.class, s -> s);
        builder.step("broken", String.class, fine, s -> {
            throw new IllegalStateException("no tea left");
        });
        var flow = builder.build();
        var client = flows.start(flow).client();
        var run = client.start(flow, "x");

        var failed = catchThrowableOfType(PgflowException.RunFailed.class, () -> client.await(run, TestFlows.LIMIT));

        assertThat(failed.run()).isEqualTo(run);
        assertThat(failed.flow()).isEqualTo("fails");
        assertThat(failed.step()).hasValue("broken");
        assertThat(failed.error()).contains("IllegalStateException", "no tea left");
        assertThat(failed).hasMessageContainingAll(run.toString(), "'fails'", "'broken'", "no tea left");
        assertThat(client.read(run).of(fine)).as("what was done before").isEqualTo("x");
    }

    @Test
    void carriesTheStepWhoseConditionFailedTheRun(TestFlows flows) {
        var builder = Flow.of("unmet", String.class);
        builder.step("never", String.class, s -> s).onlyIf(Map.of("a", 1)).whenUnmet(Otherwise.FAIL);
        var flow = builder.build();
        var client = flows.start(flow).client();
        var run = client.start(flow, "x");

        var failed = catchThrowableOfType(PgflowException.RunFailed.class, () -> client.await(run, TestFlows.LIMIT));

        assertThat(failed.step()).hasValue("never");
        assertThat(failed.error()).isEqualTo("Condition not met");
    }
}
