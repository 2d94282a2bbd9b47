package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.sql.Schema;
import io.pgflow.testing.Invariants;
import io.pgflow.testing.TestDatabases;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A schema made by pgflow itself: workers get along with the contract's functions and columns. The stand-in is our own schema, used by a role
 * that may touch nothing but the contract, and with three faults of pgflow's put back.
 */
@ExtendWith(TestDatabases.class)
class ForeignSchemaTest {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** Functions and columns that are not the contract's are out of the role's reach; those that the contract does not need are gone. */
    private static final String STRIP = """
            drop table pgflow.schema_history cascade;
            drop function pgflow.claim_tasks, pgflow.release_tasks, pgflow.release_lost_tasks, pgflow.heartbeat, pgflow.register_worker,
              pgflow.next_message_delay, pgflow.enable_notifications;
            do $$
            declare
              v record;
            begin
              create role %1$I;
              grant usage on schema pgflow, pgmq to %1$I;
              for v in
                select p.oid::regprocedure as signature
                from pg_proc p
                where p.pronamespace = 'pgflow'::regnamespace
                  and p.proname = any ('{is_valid_slug, create_flow, add_step, _get_flow_shape, _compare_flow_shapes, ensure_flow_compiled, start_flow,
                    start_flow_with_states, get_run_with_states, start_tasks, complete_task, fail_task, set_vt_batch, track_worker_function,
                    mark_worker_stopped, requeue_stalled_tasks}')
              loop
                execute format('alter function %%s security definer', v.signature);
                execute format('grant execute on function %%s to %1$I', v.signature);
              end loop;
              for v in
                select a.attrelid::regclass as relation, string_agg(quote_ident(a.attname), ', ') as columns
                from pg_attribute a
                join pg_class c on c.oid = a.attrelid and c.relkind = 'r' and c.relnamespace = 'pgflow'::regnamespace
                where a.attnum > 0
                  and not a.attisdropped
                  and (c.relname::text, a.attname::text) not in
                    (values ('step_tasks', 'claim_no'), ('step_tasks', 'input'), ('workers', 'heartbeat_interval'), ('runs', 'awaited'))
                group by a.attrelid
              loop
                execute format('grant select (%%1$s), insert (%%1$s), update (%%1$s) on %%2$s to %1$I', v.columns, v.relation);
              end loop;
              grant all on all tables in schema pgmq to %1$I;
              grant all on all functions in schema pgmq to %1$I;
              alter default privileges in schema pgmq grant all on tables to %1$I;
              alter default privileges in schema pgmq grant all on sequences to %1$I;
            end
            $$
            """;

    /** As pgflow has it: what it read it returns, whoever else did; and messages become visible while their tasks run. */
    private static final String FAULTY_START_TASKS = """
            create or replace function pgflow.start_tasks(flow_slug text, msg_ids bigint[], worker_id uuid)
            returns setof pgflow.step_task_record
            language plpgsql
            security definer
            set search_path to ''
            as $$
            declare
              v_tasks pgflow.step_task_record[];
            begin
              select array_agg(row(
                t.flow_slug, t.run_id, t.step_slug,
                case when d.step_type = 'map' then t.input when d.deps_count = 0 then '{}' else pgflow._dependency_outputs(t.flow_slug, t.run_id, t.step_slug) end,
                t.message_id, t.task_index, case when d.step_type = 'single' and d.deps_count = 0 then r.input end)::pgflow.step_task_record)
              into v_tasks
              from pgflow.step_tasks t
              join pgflow.steps d on d.flow_slug = t.flow_slug and d.step_slug = t.step_slug
              join pgflow.step_states s on s.run_id = t.run_id and s.step_slug = t.step_slug
              join pgflow.runs r on r.run_id = t.run_id
              where t.flow_slug = start_tasks.flow_slug
                and t.message_id = any (start_tasks.msg_ids)
                and t.status = 'queued' and s.status = 'started' and r.status = 'started';
              update pgflow.step_tasks t
              set status = 'started', attempts_count = t.attempts_count + 1, claim_no = t.claim_no + 1, started_at = now(),
                last_worker_id = start_tasks.worker_id
              from unnest(v_tasks) u
              where t.run_id = u.run_id and t.step_slug = u.step_slug and t.task_index = u.task_index and t.status = 'queued';
              return query select * from unnest(v_tasks);
            end
            $$
            """;

    /** As pgflow has it: no cap. */
    private static final String FAULTY_RETRY_DELAY = """
            create or replace function pgflow.calculate_retry_delay(base_delay numeric, attempts_count int)
            returns int
            language sql
            immutable
            parallel safe
            as $$ select floor(base_delay * power(2, attempts_count))::int $$
            """;

    private static final String ROLE =
            "pgflow_contract_" + UUID.randomUUID().toString().substring(0, 8);
    private static DataSource owners;
    private static DSLContext admin;
    private static HikariDataSource pool;

    @BeforeAll
    static void strip(DataSource database) {
        owners = database;
        Schema.migrate(database);
        admin = DSL.using(database, SQLDialect.POSTGRES);
        admin.execute(FAULTY_START_TASKS);
        admin.execute(FAULTY_RETRY_DELAY);
        admin.execute(STRIP.replace("%1$I", ROLE).replace("%%", "%"));
        var config = new HikariConfig();
        config.setDataSource(database);
        config.setConnectionInitSql("set role " + ROLE);
        config.setMaximumPoolSize(8);
        config.setMinimumIdle(0);
        pool = new HikariDataSource(config);
    }

    @AfterAll
    static void dropRole() {
        pool.close();
        admin.execute("drop owned by " + ROLE);
        admin.execute("drop role " + ROLE);
    }

    @AfterEach
    void nothingContradicts() {
        Invariants.check(owners);
    }

    private static WorkerOptions options() {
        return Workers.connect(pool).concurrency(5).grace(Duration.ofSeconds(10));
    }

    private static void await(String condition, Object... arguments) {
        long giveUpAt = System.nanoTime() + LIMIT.toNanos();
        while (!admin.fetchSingle("select " + condition, arguments).get(0, Boolean.class)) {
            assertThat(System.nanoTime()).as(condition).isLessThan(giveUpAt);
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }

    private static String task(UUID run, String columns) {
        return admin.fetchSingle("select concat_ws(' ', " + columns + ") from pgflow.step_tasks where run_id = ?", run)
                .get(0, String.class);
    }

    @Test
    void runsAFlowToItsEnd() throws Exception {
        var builder = Flow.ofList("squares", Integer.class);
        var squares = builder.map("square", Integer.class, builder.input(), n -> n * n);
        var more = builder.map("more", Integer.class, squares, n -> n + 1);
        builder.step(
                "sum", Integer.class, more, all -> all.stream().mapToInt(n -> n).sum());
        var flow = builder.build();

        try (var workers = options().start(flow)) {
            var run = workers.client().start(flow, List.of(1, 2, 3));

            assertThat(workers.client().await(run, LIMIT).output()).contains("{\"sum\": 17}");
        }
    }

    @Test
    void retriesAndThenFailsARun() throws Exception {
        var builder = Flow.of("hopeless", Integer.class);
        builder.step("never", Integer.class, n -> {
            throw new IllegalStateException("no");
        });
        var flow = builder.maxAttempts(2).build();

        try (var workers = options().start(flow)) {
            admin.execute("update pgflow.flows set opt_base_delay = 0 where flow_slug = 'hopeless'");
            var run = workers.client().start(flow, 1);

            assertThatThrownBy(() -> workers.client().await(run, LIMIT))
                    .isInstanceOf(PgflowException.RunFailed.class)
                    .hasMessageContaining("IllegalStateException: no");
            assertThat(task(run, "attempts_count")).isEqualTo("2");
        }
    }

    @Test
    void hidesTheMessageForAsLongAsTheAttemptMayTake() throws Exception {
        var started = new CountDownLatch(1);
        var end = new CountDownLatch(1);
        var builder = Flow.of("hidden", Integer.class);
        builder.step("long", Integer.class, n -> {
            started.countDown();
            end.await();
            return n;
        });
        var flow = builder.build();

        try (var workers = options().start(flow)) {
            var run = workers.client().start(flow, 1);
            started.await();

            assertThat(admin.fetchSingle("select vt > clock_timestamp() + interval '30 s' from pgmq.q_hidden")
                            .get(0, Boolean.class))
                    .isTrue();
            end.countDown();
            workers.client().await(run, LIMIT);
        }
    }

    @Test
    void aReportOfAnAttemptThatIsNotCurrentChangesNothing() throws Exception {
        var attempts = new AtomicInteger();
        var first = new CountDownLatch(1);
        var second = new CountDownLatch(1);
        var late = new CountDownLatch(1);
        var builder = Flow.of("stale", Integer.class);
        builder.step("slow", Integer.class, n -> {
            int attempt = attempts.incrementAndGet();
            (attempt == 1 ? first : second).await();
            return attempt;
        });
        var flow = builder.build();

        try (var workers = options()
                .listener(event -> {
                    if (event instanceof WorkerEvent.TaskLate) {
                        late.countDown();
                    }
                })
                .start(flow)) {
            var run = workers.client().start(flow, 1);
            await("exists (select from pgflow.step_tasks where run_id = ? and status = 'started')", run);
            // as if it had stalled: somebody puts it back, and the same worker gets it again
            admin.execute(
                    "update pgflow.step_tasks set status = 'queued', started_at = null, last_worker_id = null where run_id = ?",
                    run);
            admin.execute("update pgmq.q_stale set vt = clock_timestamp()");
            await("exists (select from pgflow.step_tasks where run_id = ? and attempts_count = 2)", run);
            first.countDown();
            assertThat(late.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
            second.countDown();

            assertThat(workers.client().await(run, LIMIT).output()).contains("{\"slow\": 2}");
        }
    }

    @Test
    void doesNotRunATaskThatAnotherWorkerGotAtTheSameTime() throws Exception {
        var calls = new AtomicInteger();
        var builder = Flow.of("shared", Integer.class);
        builder.step("once", Integer.class, n -> {
            if (n == 1) {
                calls.incrementAndGet();
            }
            return n;
        });
        var flow = builder.build();
        admin.execute(flow.toSql());
        var other = UUID.randomUUID();
        admin.execute(
                "insert into pgflow.workers (worker_id, queue_name, function_name) values (?, 'shared', 'other')",
                other);
        try (var client = Client.connect(pool)) {
            var shared = client.start(flow, 1);
            try (var workers = admin.transactionResult(tx -> {
                tx.dsl()
                        .fetch(
                                "select * from pgflow.start_tasks('shared', array(select msg_id from pgmq.q_shared), ?)",
                                other);
                var waiting = options().start(flow);
                await(
                        "exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%start_tasks%')");
                return waiting;
            })) { // start_tasks has returned the task to both
                client.await(workers.client().start(flow, 2), LIMIT);
            }

            assertThat(calls).hasValue(0);
            assertThat(task(shared, "status, last_worker_id")).isEqualTo("started " + other);
            admin.fetch("select * from pgflow.complete_task(?, 'once', 0, '1')", shared);
        }
    }

    @Test
    void archivesMessagesThatNobodyNeeds() throws Exception {
        var builder = Flow.of("strays", Integer.class);
        builder.step("any", Integer.class, n -> n);
        var flow = builder.build();
        try (var workers = options().start(flow)) {
            admin.execute("select pgmq.send('strays', '{\"not\": \"a task\"}')");
            workers.client().await(workers.client().start(flow, 1), LIMIT);

            await("not exists (select from pgmq.q_strays)");
        }
    }

    @Test
    void handsTasksBackUnchargedWhenItStops() throws Exception {
        var started = new CountDownLatch(1);
        var builder = Flow.of("stopped", Integer.class);
        builder.step("endless", Integer.class, n -> {
            started.countDown();
            new CountDownLatch(1).await();
            return n;
        });
        var flow = builder.build();
        UUID run;
        try (var workers = options().grace(Duration.ZERO).start(flow)) {
            run = workers.client().start(flow, 1);
            started.await();
        }

        assertThat(task(run, "status, attempts_count")).isEqualTo("queued 0");
        assertThat(admin.fetchSingle("select vt <= clock_timestamp() from pgmq.q_stopped")
                        .get(0, Boolean.class))
                .isTrue();
        assertThat(admin.fetchSingle(
                                "select count(*) from pgflow.workers where queue_name = 'stopped' and stopped_at is null")
                        .get(0, Integer.class))
                .isZero();
    }

    @Test
    void failsARunAtOnceWhereTryingAgainIsPointless() throws Exception {
        var builder = Flow.of("pointless", Integer.class);
        builder.step("never", Integer.class, n -> {
            throw new PermanentFailure("it is not there");
        });
        var flow = builder.maxAttempts(3).build();

        try (var workers = options().start(flow)) {
            var run = workers.client().start(flow, 1);

            assertThatThrownBy(() -> workers.client().await(run, LIMIT))
                    .isInstanceOf(PgflowException.RunFailed.class)
                    .hasMessageContaining("it is not there");
        }
    }

    @Test
    void waitsForAsLongAsTheHandlerAsked() throws Exception {
        var builder = Flow.of("later", Integer.class);
        builder.step("busy", Integer.class, n -> {
            throw new RetryLater(Duration.ofHours(1), "busy");
        });
        var flow = builder.maxAttempts(3).build();

        try (var workers = options().start(flow)) {
            var run = workers.client().start(flow, 1);

            await(
                    "exists (select from pgflow.step_tasks where run_id = ? and status = 'queued' and attempts_count = 1)",
                    run);
            assertThat(admin.fetchSingle("select vt > clock_timestamp() + interval '59 min' from pgmq.q_later")
                            .get(0, Boolean.class))
                    .isTrue();
        }
    }

    @Test
    void triesAgainWhereTheRetryDelayIsBeyondAllNumbers() throws Exception {
        var builder = Flow.of("patient", String.class);
        builder.step("busy", Integer.class, input -> {
            throw input.equals("asks")
                    ? new RetryLater(Duration.ofHours(3), "busy")
                    : new IllegalStateException("busy");
        });
        var flow = builder.maxAttempts(100).build();
        try (var workers = options().start(flow);
                var connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            var fails = workers.client().in(connection).start(flow, "fails");
            var asks = workers.client().in(connection).start(flow, "asks");
            DSL.using(connection, SQLDialect.POSTGRES)
                    .execute("update pgflow.step_tasks set attempts_count = 28 where run_id in (?, ?)", fails, asks);
            connection.commit();

            await(
                    "2 = (select count(*) from pgflow.step_tasks where flow_slug = 'patient' and status = 'queued' and attempts_count = 29)");
            assertThat(task(fails, "error_message")).contains("busy");
            assertThat(hours(fails)).isEqualTo(23);
            assertThat(hours(asks)).isEqualTo(2);
        }
    }

    /** For how many whole hours its message is hidden. */
    private static int hours(UUID run) {
        return admin.fetchSingle(
                        "select floor(extract(epoch from vt - clock_timestamp()) / 3600)::int from pgmq.q_patient where message ->> 'run_id' = ?",
                        run.toString())
                .get(0, Integer.class);
    }

    @Test
    void tellsOnceThatARunFailedWhateverElseWasInHand() throws Exception {
        var together = new CyclicBarrier(3);
        var over = new CountDownLatch(1);
        var recorder = new Recorder();
        var builder = Flow.ofList("failed_once", Integer.class);
        builder.map("reserve", Integer.class, builder.input(), n -> {
            together.await();
            if (n == 1) {
                throw new PermanentFailure("it is not there");
            }
            over.await();
            if (n == 2) {
                throw new IllegalStateException("nor is this");
            }
            return n;
        });
        var flow = builder.build();

        try (var workers = options().listener(recorder).start(flow)) {
            workers.client().start(flow, List.of(1, 2, 3));
            recorder.await(WorkerEvent.RunFailed.class);
            over.countDown();
        }

        assertThat(recorder.all(WorkerEvent.TaskFailed.class)).hasSize(2);
        assertThat(recorder.all(WorkerEvent.TaskLate.class)).hasSize(1);
        assertThat(recorder.all(WorkerEvent.RunFailed.class)).hasSize(1);
    }

    @Test
    void tellsTheEndOfARunWhoseReportWentBesideOneThatIsRefused() throws Exception {
        var mayEnd = Stream.generate(() -> new CountDownLatch(1)).limit(3).toList();
        var recorder = new Recorder();
        var builder = Flow.of("beside", Integer.class).maxAttempts(1);
        builder.step("give", Object.class, n -> {
            mayEnd.get(n).await();
            return n == 2 ? new BigDecimal(BigInteger.ONE, -200_000) : n; // beyond numeric
        });
        var flow = builder.build();

        UUID first;
        UUID stored;
        try (var workers = options().listener(recorder).start(flow)) {
            first = workers.client().start(flow, 0);
            stored = workers.client().start(flow, 1);
            workers.client().start(flow, 2);
            awaitInHand(workers, 3);
            admin.transaction(tx -> {
                tx.dsl().execute("select from pgflow.runs where run_id = ? for update", first);
                mayEnd.get(0).countDown();
                await(
                        "exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%for update%')");
                mayEnd.get(1).countDown();
                awaitInHand(workers, 1);
                mayEnd.get(2).countDown();
                awaitInHand(workers, 0);
            }); // the other two wait for the first one's answer, and go together then
        }

        assertThat(recorder.all(WorkerEvent.RunCompleted.class))
                .extracting(WorkerEvent.RunCompleted::runId)
                .containsExactly(first, stored);
        assertThat(recorder.all(WorkerEvent.RunFailed.class)).hasSize(1);
    }

    /** Waits until so many handlers run; the outcomes of all others were accepted. */
    private static void awaitInHand(RunningWorkers workers, int tasks) {
        long giveUpAt = System.nanoTime() + LIMIT.toNanos();
        while (workers.snapshot().getFirst().activeTasks().size() != tasks) {
            assertThat(System.nanoTime()).as("tasks in hand").isLessThan(giveUpAt);
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }

    @Test
    void doesNotSayThatItHasStoppedWhileItWorks() {
        var builder = Flow.of("again", Integer.class);
        builder.step("any", Integer.class, n -> n);
        var flow = builder.build();
        var id = UUID.randomUUID();
        var working = "exists (select from pgflow.workers where worker_id = ? and stopped_at is null)";
        options().workerId(id).start(flow).close();

        try (var workers = options().workerId(id).start(flow)) {
            assertThat(workers.snapshot().getFirst().id()).isEqualTo(id);
            assertThat(admin.fetchSingle("select " + working, id).get(0, Boolean.class))
                    .as("started again")
                    .isTrue();

            admin.execute("update pgflow.workers set stopped_at = now() where worker_id = ?", id);
            await(working, id); // by its next heartbeat
        }
    }

    @Test
    void isWokenByAnnouncements() throws Exception {
        var builder = Flow.of("announced", Integer.class);
        builder.step("any", Integer.class, n -> n);
        var flow = builder.build();
        // polls would come too late
        try (var workers = options().notifyFallback(LIMIT.multipliedBy(10)).start(flow)) {
            workers.client().await(workers.client().start(flow, 1), LIMIT);
            assertThat(workers.client()
                            .await(workers.client().start(flow, 2), LIMIT)
                            .output())
                    .contains("{\"any\": 2}");
        }
    }

    @Test
    void startsARunOnceByItsId() throws Exception {
        var builder = Flow.of("by_id", Integer.class);
        builder.step("any", Integer.class, n -> n);
        var flow = builder.build();
        var other = Flow.of("by_id_too", Integer.class);
        other.step("any", Integer.class, n -> n);
        var otherFlow = other.build();
        var id = UUID.randomUUID();

        try (var workers = options().start(flow, otherFlow);
                var client = Client.connect(pool)) {
            workers.client().start(flow, 1, id);
            client.start(flow, 2, id);

            assertThat(client.await(id, LIMIT).output()).contains("{\"any\": 1}");
            assertThatThrownBy(() -> client.start(otherFlow, 1, id))
                    .isInstanceOf(PgflowException.RunOfAnotherFlow.class);
        }
    }

    @Test
    void startsRunsInTheCallersTransaction() throws Exception {
        var builder = Flow.of("transactional", Integer.class);
        builder.step("any", Integer.class, n -> n);
        var flow = builder.build();
        try (var workers = options().start(flow);
                var connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            var undone = workers.client().in(connection).start(flow, 1);
            connection.rollback();
            var done = workers.client().in(connection).start(flow, 2);
            connection.commit();
            connection.setAutoCommit(true);

            assertThat(workers.client().await(done, LIMIT).output()).contains("{\"any\": 2}");
            assertThatThrownBy(() -> workers.client().read(undone)).isInstanceOf(PgflowException.RunNotFound.class);
        }
    }

    @Test
    void refusesASchemaThatLacksWhatItNeeds() {
        var builder = Flow.of("refused", Integer.class);
        builder.step("any", Integer.class, n -> n);
        var flow = builder.build();
        admin.execute("alter function pgflow.fail_task(uuid, text, int, text) rename to fail_task_2");
        try {
            assertThatThrownBy(() -> options().start(flow))
                    .isInstanceOf(PgflowException.SchemaMismatch.class)
                    .hasMessageContaining("pgflow.fail_task(uuid, text, integer, text)");
        } finally {
            admin.execute("alter function pgflow.fail_task_2(uuid, text, int, text) rename to fail_task");
        }
    }
}
