package io.pgflow.internal;

import static io.pgflow.sql.jooq.pgflow.Tables.COMPLETE_TASK;
import static io.pgflow.sql.jooq.pgflow.Tables.FAIL_TASK;
import static io.pgflow.sql.jooq.pgflow.Tables.FLOWS;
import static io.pgflow.sql.jooq.pgflow.Tables.RUNS;
import static io.pgflow.sql.jooq.pgflow.Tables.SET_VT_BATCH;
import static io.pgflow.sql.jooq.pgflow.Tables.START_TASKS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEPS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEP_STATES;
import static io.pgflow.sql.jooq.pgflow.Tables.STEP_TASKS;
import static io.pgflow.sql.jooq.pgflow.Tables.WORKERS;
import static io.pgflow.sql.jooq.pgmq.Tables.NOTIFY_INSERT_THROTTLE;
import static io.pgflow.sql.jooq.pgmq.Tables.READ;
import static java.util.Objects.requireNonNull;
import static org.jooq.Records.mapping;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.function;
import static org.jooq.impl.DSL.greatest;
import static org.jooq.impl.DSL.min;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.val;

import io.pgflow.internal.Report.Effect;
import io.pgflow.internal.Report.RunEnd;
import io.pgflow.sql.jooq.pgmq.Routines;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The same statements where the schema is pgflow's own, without PgFlow's additions: one call of the contract's functions a task.
 *
 * <p>It makes up for what those leave undone. Messages are hidden for as long as the attempt may take, in the transaction that starts it. Only
 * tasks that this worker really got are run. A report is fenced by attempt and worker, under the run's lock. What a dead worker had in hand is put
 * back by {@code requeue_stalled_tasks}, which that schema's own cron job calls.
 */
final class ContractQueries extends Queries {

    private static final Logger log = LoggerFactory.getLogger(ContractQueries.class);

    /** For how long a message is hidden whose task was not started, in seconds. */
    private static final int LEASE = 5;

    /** By how much a message stays hidden for longer than its attempt may take, in seconds. */
    private static final int AFTER_TIMEOUT = 2;

    private static final Field<OffsetDateTime> NOW = function("clock_timestamp", SQLDataType.OFFSETDATETIME);
    private static final Field<OffsetDateTime> VT = field(name("vt"), SQLDataType.OFFSETDATETIME);
    private static final Field<Long> MSG_ID = field(name("msg_id"), SQLDataType.BIGINT);

    private final Session session;

    /** What a task reads, as {@code start_tasks} gives it. */
    private record Inputs(String input, @Nullable String flowInput) {}

    ContractQueries(Session session) {
        super(session);
        this.session = session;
    }

    @Override
    void register(UUID worker, String flow, Duration heartbeatInterval) {
        session.run(db -> db.insertInto(WORKERS, WORKERS.WORKER_ID, WORKERS.QUEUE_NAME, WORKERS.FUNCTION_NAME)
                .values(worker, flow, "java:" + flow)
                .onConflict(WORKERS.WORKER_ID)
                .doUpdate()
                .set(WORKERS.LAST_HEARTBEAT_AT, NOW)
                .execute());
    }

    @Override
    Standing heartbeat(UUID worker) {
        return session.call(db -> db.update(WORKERS)
                .set(WORKERS.LAST_HEARTBEAT_AT, NOW)
                .where(WORKERS.WORKER_ID.eq(worker))
                .returningResult(WORKERS.DEPRECATED_AT)
                .fetchOptional(row -> row.value1() == null ? Standing.RUNNING : Standing.DEPRECATED)
                .orElse(Standing.UNKNOWN));
    }

    /** Nothing is known of other workers: none has promised to beat. */
    @Override
    int markAllStopped() {
        return 0;
    }

    /** Has a queue announce new messages, by {@code pgmq.enable_notify_insert}, unless it does. */
    @Override
    boolean enableNotifications(String flow, Duration throttle) {
        return session.call(db -> db.transactionResult(tx -> {
            Field<String> enable =
                    function("to_regprocedure", SQLDataType.CLOB, val("pgmq.enable_notify_insert(text, integer)"));
            if (tx.dsl().select(enable.cast(SQLDataType.CLOB)).fetchSingle().value1() == null) {
                return false;
            }
            // enabling replaces a trigger, and two who do it at once deadlock
            tx.dsl()
                    .select(function(
                            "pg_advisory_xact_lock",
                            SQLDataType.OTHER,
                            val(1),
                            function("hashtext", SQLDataType.INTEGER, val(flow.toLowerCase(Locale.ROOT)))))
                    .fetch();
            if (!tx.dsl().fetchExists(NOTIFY_INSERT_THROTTLE, NOTIFY_INSERT_THROTTLE.QUEUE_NAME.eq(flow))) {
                Routines.enableNotifyInsert(tx, flow, Math.toIntExact(throttle.toMillis()));
            }
            return true;
        }));
    }

    /** Left to the schema's own cron job. */
    @Override
    List<Recovered> recover() {
        return List.of();
    }

    /** The contract has no way to tell them from others; its own sweep finds them. */
    @Override
    int releaseLost(String flow, UUID worker, List<Task> known) {
        return 0;
    }

    /** Claims tasks, by {@code pgmq.read} and {@code pgflow.start_tasks}, in one transaction. */
    @Override
    Claim claim(String flow, UUID worker, int most) {
        return session.call(db -> {
            List<Task> tasks = db.transactionResult(tx -> tasks(tx.dsl(), flow, worker, most));
            return new Claim(tasks, tasks.isEmpty() ? nextVisible(db, flow) : Optional.empty());
        });
    }

    private static Optional<Duration> nextVisible(DSLContext db, String flow) {
        return db.select(min(VT), NOW)
                .from(queue(flow))
                .fetchOptional(row -> row.value1() == null ? null : Duration.between(row.value2(), row.value1()))
                .map(delay -> delay.isNegative() ? Duration.ZERO : delay);
    }

    private static List<Task> tasks(DSLContext db, String flow, UUID worker, int most) {
        var message = READ(flow, LEASE, most, JSONB.valueOf("{}"));
        Long[] read = db.select(message.MSG_ID).from(message).fetchArray(message.MSG_ID);
        if (read.length == 0) {
            return List.of();
        }
        var t = START_TASKS(flow, read, worker);
        var started = new HashMap<Long, Inputs>();
        db.select(t.MSG_ID, t.INPUT.convertFrom(JSONB::data), Jooq.text(t.FLOW_INPUT))
                .from(t)
                .forEach(row -> started.put(row.value1(), new Inputs(row.value2(), row.value3())));
        // a statement of its own, which sees what that one did; somebody else may have got the same task, but its row
        // says whose it is
        var hideFor = new HashMap<Long, Integer>();
        List<Task> tasks = db.select(
                        STEP_TASKS.MESSAGE_ID,
                        STEP_TASKS.RUN_ID,
                        STEP_TASKS.STEP_SLUG,
                        STEP_TASKS.TASK_INDEX,
                        STEP_TASKS.ATTEMPTS_COUNT,
                        coalesce(STEPS.OPT_TIMEOUT, FLOWS.OPT_TIMEOUT))
                .from(STEP_TASKS)
                .join(STEPS)
                .on(STEPS.FLOW_SLUG.eq(STEP_TASKS.FLOW_SLUG), STEPS.STEP_SLUG.eq(STEP_TASKS.STEP_SLUG))
                .join(FLOWS)
                .on(FLOWS.FLOW_SLUG.eq(STEP_TASKS.FLOW_SLUG))
                .where(
                        STEP_TASKS.FLOW_SLUG.eq(flow),
                        STEP_TASKS.MESSAGE_ID.eq(any(started.keySet().toArray(Long[]::new))),
                        STEP_TASKS.STATUS.eq("started"),
                        STEP_TASKS.LAST_WORKER_ID.eq(worker))
                .fetch(mapping((id, run, step, index, attempt, timeout) -> {
                    hideFor.put(id, timeout + AFTER_TIMEOUT);
                    var inputs = requireNonNull(started.get(id));
                    return new Task(
                            flow,
                            run,
                            step,
                            index,
                            attempt,
                            attempt, // the fence: no other column counts claims
                            Duration.ofSeconds(timeout),
                            inputs.input(),
                            inputs.flowInput(),
                            null); // pgmq.read says no longer since when a message was visible
                }));
        var hidden = SET_VT_BATCH(
                flow, hideFor.keySet().toArray(Long[]::new), hideFor.values().toArray(Integer[]::new));
        db.select(hidden.MSG_ID).from(hidden).execute();
        var declined = new HashSet<>(Arrays.asList(read));
        declined.removeAll(started.keySet());
        if (!declined.isEmpty()) {
            putAside(db, flow, declined);
        }
        return tasks;
    }

    /** Archives those of the messages that nobody needs any more: their task has ended, or there is none. */
    private static void putAside(DSLContext db, String flow, Set<Long> declined) {
        var strays = new HashSet<>(declined);
        Set<Long> ended = new HashSet<>();
        db.select(STEP_TASKS.MESSAGE_ID, STEP_TASKS.STATUS, STEP_STATES.STATUS, RUNS.STATUS)
                .from(STEP_TASKS)
                .join(STEP_STATES)
                .on(STEP_STATES.RUN_ID.eq(STEP_TASKS.RUN_ID), STEP_STATES.STEP_SLUG.eq(STEP_TASKS.STEP_SLUG))
                .join(RUNS)
                .on(RUNS.RUN_ID.eq(STEP_TASKS.RUN_ID))
                .where(STEP_TASKS.FLOW_SLUG.eq(flow), STEP_TASKS.MESSAGE_ID.eq(any(declined.toArray(Long[]::new))))
                .forEach(row -> {
                    strays.remove(row.value1());
                    boolean live = Set.of("queued", "started").contains(row.value2())
                            && row.value3().equals("started")
                            && row.value4().equals("started");
                    if (!live) {
                        ended.add(row.value1());
                    }
                });
        if (!strays.isEmpty()) {
            log.warn(
                    "{}",
                    LogLine.of("messages_of_no_task")
                            .with("queue", flow)
                            .with("messages", strays)
                            .with("next", "they are archived"));
        }
        ended.addAll(strays);
        db.select(function(name("pgmq", "archive"), SQLDataType.BIGINT, val(flow), val(ended.toArray(Long[]::new))))
                .fetch();
    }

    /** Records results, by {@code pgflow.complete_task}, each in a transaction of its own. */
    @Override
    List<Report> complete(List<Outcome.Completed> completed) {
        return completed.stream()
                .map(outcome -> settle(outcome, db -> {
                    Task task = outcome.task();
                    var t = COMPLETE_TASK(
                            task.runId(), task.stepSlug(), task.taskIndex(), JSONB.valueOf(outcome.output()));
                    return db.select(t.STATUS).from(t).fetchOptional(t.STATUS).orElseThrow();
                }))
                .toList();
    }

    /** Records failures, by {@code pgflow.fail_task}, each in a transaction of its own. */
    @Override
    List<Report> fail(List<? extends Outcome.Failure> failed) {
        return failed.stream()
                .map(outcome -> settle(outcome, db -> fail(db, outcome)))
                .toList();
    }

    private static String fail(DSLContext db, Outcome.Failure outcome) {
        Task task = outcome.task();
        if (outcome.permanent()) { // the contract knows no other way to try no more
            db.update(STEP_TASKS)
                    .set(STEP_TASKS.ATTEMPTS_COUNT, greatest(STEP_TASKS.ATTEMPTS_COUNT, mostAttempts()))
                    .where(current(outcome))
                    .execute();
        }
        var t = FAIL_TASK(task.runId(), task.stepSlug(), task.taskIndex(), outcome.error());
        var after = db.select(t.STATUS, t.MESSAGE_ID).from(t).fetchSingle();
        Integer retryAfter = retryAfter(outcome);
        if (retryAfter != null && after.value1().equals("queued")) {
            var hidden = SET_VT_BATCH(task.flowSlug(), new Long[] {after.value2()}, new Integer[] {retryAfter});
            db.select(hidden.MSG_ID).from(hidden).execute();
        }
        return after.value1();
    }

    private static Field<Integer> mostAttempts() {
        return field(select(coalesce(STEPS.OPT_MAX_ATTEMPTS, FLOWS.OPT_MAX_ATTEMPTS))
                .from(STEPS)
                .join(FLOWS)
                .on(FLOWS.FLOW_SLUG.eq(STEPS.FLOW_SLUG))
                .where(STEPS.FLOW_SLUG.eq(STEP_TASKS.FLOW_SLUG), STEPS.STEP_SLUG.eq(STEP_TASKS.STEP_SLUG)));
    }

    /** Reports an outcome under its run's lock, if its attempt is the current one. */
    private Report settle(Outcome outcome, Function<DSLContext, String> call) {
        return session.call(db -> db.transactionResult(tx -> {
            Task task = outcome.task();
            lock(tx.dsl(), task);
            if (tx.dsl().fetchExists(STEP_TASKS, current(outcome))) {
                return report(tx.dsl(), task, call.apply(tx.dsl()));
            }
            // this attempt's own report may be what ended it, if the answer was lost
            return tx.dsl()
                    .select(STEP_TASKS.STATUS)
                    .from(STEP_TASKS)
                    .where(attempt(outcome))
                    .fetchOptional(STEP_TASKS.STATUS)
                    .filter(status -> !status.equals("started"))
                    .map(status -> new Report(task.runId(), effect(status), null, null, null, false))
                    .orElse(new Report(task.runId(), Effect.LATE, null, null, null, false));
        }));
    }

    private static Report report(DSLContext db, Task task, String status) {
        Field<String> error = field(select(STEP_STATES.ERROR_MESSAGE)
                .from(STEP_STATES)
                .where(STEP_STATES.RUN_ID.eq(RUNS.RUN_ID), STEP_STATES.STATUS.eq("failed"))
                .limit(1));
        var run = db.select(RUNS.STATUS, error)
                .from(RUNS)
                .where(RUNS.RUN_ID.eq(task.runId()))
                .fetchSingle();
        Effect effect = effect(status);
        Instant retryAt = effect == Effect.RETRYING ? visibleAt(db, task) : null;
        boolean goesOn = run.value1().equals("started");
        return new Report(
                task.runId(),
                effect,
                retryAt,
                goesOn ? null : RunEnd.of(run.value1()),
                goesOn ? null : run.value2(),
                goesOn && retryAt == null);
    }

    private static Effect effect(String status) {
        return switch (status) {
            case "completed" -> Effect.COMPLETED;
            case "queued" -> Effect.RETRYING;
            case "failed" -> Effect.FAILED;
            default -> Effect.LATE;
        };
    }

    /** Hands tasks back, each in a transaction of its own. The contract has no function for it. */
    @Override
    int release(List<Outcome.Released> released) {
        return released.stream().mapToInt(this::release).sum();
    }

    private int release(Outcome.Released released) {
        return session.call(db -> db.transactionResult(tx -> {
            Task task = released.task();
            lock(tx.dsl(), task);
            Long[] messages = tx.dsl()
                    .update(STEP_TASKS)
                    .set(STEP_TASKS.STATUS, "queued")
                    .setNull(STEP_TASKS.STARTED_AT)
                    .setNull(STEP_TASKS.LAST_WORKER_ID)
                    .set(STEP_TASKS.ATTEMPTS_COUNT, STEP_TASKS.ATTEMPTS_COUNT.minus(1))
                    .where(current(released))
                    .returningResult(STEP_TASKS.MESSAGE_ID)
                    .fetchArray(STEP_TASKS.MESSAGE_ID);
            var shown = SET_VT_BATCH(
                    task.flowSlug(),
                    messages,
                    Arrays.stream(messages).map(id -> 0).toArray(Integer[]::new));
            tx.dsl().select(shown.MSG_ID).from(shown).execute();
            return messages.length;
        }));
    }

    /** Runs come before step states and tasks, as in pgflow's functions. */
    private static void lock(DSLContext db, Task task) {
        db.select(RUNS.RUN_ID)
                .from(RUNS)
                .where(RUNS.RUN_ID.eq(task.runId()))
                .forUpdate()
                .fetch();
    }

    private static Condition current(Outcome outcome) {
        return attempt(outcome).and(STEP_TASKS.STATUS.eq("started"));
    }

    private static Condition attempt(Outcome outcome) {
        Task task = outcome.task();
        return STEP_TASKS
                .RUN_ID
                .eq(task.runId())
                .and(STEP_TASKS.STEP_SLUG.eq(task.stepSlug()))
                .and(STEP_TASKS.TASK_INDEX.eq(task.taskIndex()))
                .and(STEP_TASKS.ATTEMPTS_COUNT.eq(task.claimNo()))
                .and(STEP_TASKS.LAST_WORKER_ID.eq(outcome.attempt().workerId()));
    }

    private static @Nullable Instant visibleAt(DSLContext db, Task task) {
        return db.select(VT)
                .from(queue(task.flowSlug()))
                .join(STEP_TASKS)
                .on(STEP_TASKS.MESSAGE_ID.eq(MSG_ID))
                .where(
                        STEP_TASKS.RUN_ID.eq(task.runId()),
                        STEP_TASKS.STEP_SLUG.eq(task.stepSlug()),
                        STEP_TASKS.TASK_INDEX.eq(task.taskIndex()))
                .fetchOptional(VT)
                .map(OffsetDateTime::toInstant)
                .orElse(null);
    }

    /** pgmq names its tables in lower case. */
    private static Table<?> queue(String flow) {
        return table(name("pgmq", "q_" + flow.toLowerCase(Locale.ROOT)));
    }
}
