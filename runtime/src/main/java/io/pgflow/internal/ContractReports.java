package io.pgflow.internal;

import static io.pgflow.internal.ContractQueries.VT;
import static io.pgflow.internal.ContractQueries.queue;
import static io.pgflow.sql.jooq.pgflow.Tables.COMPLETE_TASK;
import static io.pgflow.sql.jooq.pgflow.Tables.FAIL_TASK;
import static io.pgflow.sql.jooq.pgflow.Tables.FLOWS;
import static io.pgflow.sql.jooq.pgflow.Tables.RUNS;
import static io.pgflow.sql.jooq.pgflow.Tables.SET_VT_BATCH;
import static io.pgflow.sql.jooq.pgflow.Tables.STEPS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEP_STATES;
import static io.pgflow.sql.jooq.pgflow.Tables.STEP_TASKS;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.greatest;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;

import io.pgflow.internal.Report.Effect;
import io.pgflow.internal.Report.RunEnd;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.function.Function;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Reports to a schema of pgflow's own, in a transaction each: under the lock of its run, and only if its attempt is still this worker's and the
 * current one.
 */
final class ContractReports {

    private static final Field<Long> MSG_ID = field(name("msg_id"), SQLDataType.BIGINT);

    /** The retry delay where pgflow's own is too large, in seconds: the most that PgFlow's function gives. */
    private static final int A_DAY = 86_400;

    private ContractReports() {}

    /** Records a result, by {@code pgflow.complete_task}. */
    static Report complete(DSLContext db, Outcome.Completed outcome) {
        return settle(db, outcome, tx -> {
            Task task = outcome.task();
            var t = COMPLETE_TASK(task.runId(), task.stepSlug(), task.taskIndex(), JSONB.valueOf(outcome.output()));
            return tx.select(t.STATUS).from(t).fetchOptional(t.STATUS).orElseThrow();
        });
    }

    /** Records a failure, by {@code pgflow.fail_task}. */
    static Report fail(DSLContext db, Outcome.Failure outcome) {
        return settle(db, outcome, tx -> failed(tx, outcome));
    }

    private static String failed(DSLContext db, Outcome.Failure outcome) {
        if (outcome.permanent()) { // the contract knows no other way to try no more
            db.update(STEP_TASKS)
                    .set(STEP_TASKS.ATTEMPTS_COUNT, greatest(STEP_TASKS.ATTEMPTS_COUNT, mostAttempts()))
                    .where(current(outcome))
                    .execute();
        }
        try {
            return db.transactionResult(tx -> failTask(tx.dsl(), outcome));
        } catch (DataAccessException e) {
            // pgflow's retry delay doubles with each attempt, and soon no int holds it
            if (!e.sqlState().equals("22003") || !queueAgain(db, outcome)) {
                throw e;
            }
            return "queued";
        }
    }

    private static String failTask(DSLContext db, Outcome.Failure outcome) {
        Task task = outcome.task();
        var t = FAIL_TASK(task.runId(), task.stepSlug(), task.taskIndex(), outcome.error());
        var after = db.select(t.STATUS, t.MESSAGE_ID).from(t).fetchSingle();
        Integer retryAfter = Queries.retryAfter(outcome);
        if (retryAfter != null && after.value1().equals("queued")) {
            hide(db, task, retryAfter, after.value2());
        }
        return after.value1();
    }

    /** What {@code fail_task} does where attempts are left, but with a delay that is not pgflow's; false where none are. */
    private static boolean queueAgain(DSLContext db, Outcome.Failure outcome) {
        Long[] messages = db.update(STEP_TASKS)
                .set(STEP_TASKS.STATUS, "queued")
                .setNull(STEP_TASKS.STARTED_AT)
                .set(STEP_TASKS.ERROR_MESSAGE, outcome.error())
                .where(current(outcome), STEP_TASKS.ATTEMPTS_COUNT.lt(mostAttempts()))
                .returningResult(STEP_TASKS.MESSAGE_ID)
                .fetchArray(STEP_TASKS.MESSAGE_ID);
        Integer retryAfter = Queries.retryAfter(outcome);
        hide(db, outcome.task(), retryAfter == null ? A_DAY : retryAfter, messages);
        return messages.length > 0;
    }

    private static Field<Integer> mostAttempts() {
        return field(select(coalesce(STEPS.OPT_MAX_ATTEMPTS, FLOWS.OPT_MAX_ATTEMPTS))
                .from(STEPS)
                .join(FLOWS)
                .on(FLOWS.FLOW_SLUG.eq(STEPS.FLOW_SLUG))
                .where(STEPS.FLOW_SLUG.eq(STEP_TASKS.FLOW_SLUG), STEPS.STEP_SLUG.eq(STEP_TASKS.STEP_SLUG)));
    }

    private static Report settle(DSLContext db, Outcome outcome, Function<DSLContext, String> call) {
        return db.transactionResult(tx -> {
            Task task = outcome.task();
            boolean goesOn = lock(tx.dsl(), task);
            if (tx.dsl().fetchExists(STEP_TASKS, current(outcome))) {
                return report(tx.dsl(), task, goesOn, call.apply(tx.dsl()));
            }
            // this attempt's own report may be what ended it, if the answer was lost
            return tx.dsl()
                    .select(STEP_TASKS.STATUS)
                    .from(STEP_TASKS)
                    .where(attempt(outcome))
                    .fetchOptional(STEP_TASKS.STATUS)
                    .filter(status -> !status.equals("started"))
                    .map(status -> new Report(task.runId(), effect(status), null, null, null, false, null))
                    .orElse(new Report(task.runId(), Effect.LATE, null, null, null, false, null));
        });
    }

    /** What a call has made of the task, and of its run if that went on before. */
    private static Report report(DSLContext db, Task task, boolean wentOn, String status) {
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
        boolean ended = wentOn && !goesOn;
        return new Report(
                task.runId(),
                effect,
                retryAt,
                ended ? RunEnd.of(run.value1()) : null,
                ended ? run.value2() : null,
                goesOn && retryAt == null,
                null);
    }

    private static Effect effect(String status) {
        return switch (status) {
            case "completed" -> Effect.COMPLETED;
            case "queued" -> Effect.RETRYING;
            case "failed" -> Effect.FAILED;
            default -> Effect.LATE;
        };
    }

    /** Hands a task back, for which the contract has no function; how many were still this worker's to give. */
    static int release(DSLContext db, Outcome.Released released) {
        return db.transactionResult(tx -> {
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
            hide(tx.dsl(), task, 0, messages);
            return messages.length;
        });
    }

    private static void hide(DSLContext db, Task task, int seconds, Long... messages) {
        var hidden = SET_VT_BATCH(
                task.flowSlug(),
                messages,
                Arrays.stream(messages).map(id -> seconds).toArray(Integer[]::new));
        db.select(hidden.MSG_ID).from(hidden).execute();
    }

    /** Runs come before step states and tasks, as in pgflow's functions. Whether this one goes on. */
    private static boolean lock(DSLContext db, Task task) {
        return db.select(RUNS.STATUS)
                .from(RUNS)
                .where(RUNS.RUN_ID.eq(task.runId()))
                .forUpdate()
                .fetchOptional(RUNS.STATUS)
                .filter(status -> status.equals("started"))
                .isPresent();
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
}
