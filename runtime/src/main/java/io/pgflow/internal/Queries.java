package io.pgflow.internal;

import static io.pgflow.internal.Jooq.instant;
import static io.pgflow.internal.Jooq.text;
import static io.pgflow.sql.jooq.pgflow.Tables.CLAIM_TASKS;
import static io.pgflow.sql.jooq.pgflow.Tables.COMPLETE_TASKS;
import static io.pgflow.sql.jooq.pgflow.Tables.FAIL_TASKS;
import static io.pgflow.sql.jooq.pgflow.Tables.RECOVER_TASKS;
import static io.pgflow.sql.jooq.pgflow.Tables.RUNS;
import static io.pgflow.sql.jooq.pgflow.Tables.WORKERS;
import static io.pgflow.sql.jooq.pgmq.Tables.NOTIFY_INSERT_THROTTLE;
import static org.jooq.Records.mapping;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.currentOffsetDateTime;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.trueCondition;
import static org.jooq.impl.DSL.val;
import static org.jooq.impl.DSL.when;

import io.pgflow.internal.Report.Effect;
import io.pgflow.internal.Report.RunEnd;
import io.pgflow.sql.jooq.pgflow.Routines;
import io.pgflow.sql.jooq.pgflow.tables.ClaimTasks;
import io.pgflow.sql.jooq.pgflow.tables.CompleteTasks;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.Record1;
import org.jooq.Record10;
import org.jooq.Record2;
import org.jooq.Record8;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.types.DayToSecond;
import org.jooq.types.YearToSecond;
import org.jspecify.annotations.Nullable;

/**
 * Every statement that the worker sends. Each is one call of an SQL function and one transaction; each throws
 * {@link DataAccessException} if no answer came, in which case it may or may not have been done. {@link ContractQueries} does the same with
 * what pgflow's own schema offers.
 */
class Queries {

    private final Session session;

    Queries(Session session) {
        this.session = session;
    }

    /** How a worker stands in the database. */
    enum Standing {
        RUNNING,
        /** An operator wants it to finish what it has and stop. */
        DEPRECATED,
        /** Its row is gone: it must register again. */
        UNKNOWN
    }

    /**
     * A task that {@code recover_tasks} took from a worker that is gone.
     *
     * @param since when it was started, by the database's clock
     * @param runEnded what its run ended as; at most once for each run
     * @param runError what failed the run, if it failed
     */
    record Recovered(
            String flowSlug,
            UUID runId,
            String stepSlug,
            int taskIndex,
            String outcome,
            Instant since,
            @Nullable RunEnd runEnded,
            @Nullable String runError) {

        /** Whether it is queued again; if not it was given up. */
        boolean requeued() {
            return outcome.equals("requeued");
        }
    }

    /** Enters a worker, by {@code pgflow.register_worker}. */
    void register(UUID worker, String flow, Duration heartbeatInterval) {
        session.run(db -> Routines.registerWorker(
                db.configuration(),
                worker,
                flow,
                "java:" + flow,
                new YearToSecond(null, DayToSecond.valueOf(heartbeatInterval))));
    }

    /** Says that a worker lives, by {@code pgflow.heartbeat}. */
    Standing heartbeat(UUID worker) {
        String standing = session.call(db -> Routines.heartbeat(db.configuration(), worker));
        return Standing.valueOf(standing.toUpperCase(Locale.ROOT));
    }

    /** Says that a worker has stopped, by {@code pgflow.mark_worker_stopped}. */
    void markStopped(UUID worker) {
        session.run(db -> Routines.markWorkerStopped(db.configuration(), worker));
    }

    /**
     * Says of all workers that promised to beat that they have stopped: what a process that has the database to itself knows when it starts.
     *
     * @return how many there were
     */
    int markAllStopped() {
        return session.call(db -> db.update(WORKERS)
                .set(WORKERS.STOPPED_AT, currentOffsetDateTime())
                .where(WORKERS.STOPPED_AT.isNull(), WORKERS.HEARTBEAT_INTERVAL.isNotNull())
                .execute());
    }

    /** Wakes whoever listens to the channel. */
    void announce(String channel) {
        session.run(db -> Jooq.announce(db, channel));
    }

    /** Has a queue announce new messages, by {@code pgflow.enable_notifications}; false if it cannot. */
    boolean enableNotifications(String flow, Duration throttle) {
        return session.call(
                db -> Routines.enableNotifications(db.configuration(), flow, Math.toIntExact(throttle.toMillis())));
    }

    /**
     * What a poll found.
     *
     * @param tasks in no order
     * @param nextVisible if there are none: how long until the next message of the queue is visible, by {@code pgflow.next_message_delay}; zero
     *     where one is that was not claimed, empty where none is hidden
     */
    record Claim(List<Task> tasks, Optional<Duration> nextVisible) {}

    private static final ClaimTasks CLAIMED =
            CLAIM_TASKS(param("flow", String.class), param("worker", UUID.class), param("most", Integer.class));

    private static final Rendered<
                    Record10<UUID, String, Integer, Integer, Integer, Duration, String, String, Duration, Long>>
            CLAIM = Rendered.of(select(
                    CLAIMED.RUN_ID,
                    CLAIMED.STEP_SLUG,
                    CLAIMED.TASK_INDEX,
                    CLAIMED.ATTEMPT,
                    CLAIMED.CLAIM_NO,
                    seconds(CLAIMED.TIMEOUT),
                    text(CLAIMED.INPUT),
                    text(CLAIMED.FLOW_INPUT),
                    CLAIMED.WAITED.convertFrom(millis -> millis == null ? null : Duration.ofMillis(millis)),
                    when(CLAIMED.RUN_ID.isNull(), Routines.nextMessageDelay(param("flow", String.class))))
            .from(DSL.values(DSL.row(inline(1)))) // the row that is there where no task is
            .leftJoin(CLAIMED)
            .on(trueCondition()));

    /**
     * Claims tasks, by {@code pgflow.claim_tasks}.
     *
     * @param most 1 or more
     */
    Claim claim(String flow, UUID worker, int most) {
        var rows = session.call(db -> CLAIM.fetch(db, flow, flow, worker, most));
        var first = rows.getFirst();
        if (first.value1() == null) {
            return new Claim(List.of(), Optional.ofNullable(first.value10()).map(Duration::ofMillis));
        }
        return new Claim(
                rows.map(r -> new Task(
                        flow,
                        r.value1(),
                        r.value2(),
                        r.value3(),
                        r.value4(),
                        r.value5(),
                        r.value6(),
                        r.value7(),
                        r.value8(),
                        r.value9())),
                Optional.empty());
    }

    /** The least milliseconds between two announcements of a queue that {@link #enableNotifications} has seen to. */
    Duration throttle(String flow) {
        return session.call(db -> db.select(NOTIFY_INSERT_THROTTLE.THROTTLE_INTERVAL_MS)
                .from(NOTIFY_INSERT_THROTTLE)
                .where(NOTIFY_INSERT_THROTTLE.QUEUE_NAME.eq(flow))
                .fetchOptional(Record1::value1)
                .map(Duration::ofMillis)
                .orElse(Duration.ZERO));
    }

    private static final CompleteTasks COMPLETED = COMPLETE_TASKS(
            param("runs", UUID[].class),
            param("steps", String[].class),
            param("indexes", Integer[].class),
            param("claims", Integer[].class),
            param("outputs", JSONB[].class),
            param("workers", UUID[].class));

    private static final Rendered<Record8<UUID, String, String, String, Boolean, String, Duration, String>> COMPLETE =
            Rendered.of(select(
                            COMPLETED.RUN_ID,
                            COMPLETED.OUTCOME,
                            COMPLETED.RUN_ENDED,
                            COMPLETED.RUN_ERROR,
                            COMPLETED.READY,
                            COMPLETED.NEXT_STEP,
                            seconds(COMPLETED.NEXT_TIMEOUT),
                            text(COMPLETED.NEXT_INPUT))
                    .from(COMPLETED)
                    .orderBy(COMPLETED.REPORT));

    /**
     * Records results, by {@code pgflow.complete_tasks}; a report for each, in their order.
     *
     * @param workers for each result the worker that takes a task that follows from it, or null; null: nobody takes any
     */
    List<Report> complete(List<Outcome.Completed> completed, @Nullable UUID @Nullable [] workers) {
        var rows = session.call(db -> COMPLETE.fetch(
                db,
                runs(completed),
                steps(completed),
                indexes(completed),
                claims(completed),
                array(completed, c -> JSONB.valueOf(c.output()), JSONB[]::new),
                val(workers, UUID[].class))); // null has no type of its own, and would make another statement
        var flows = completed.iterator();
        return rows.map(mapping((run, outcome, end, error, ready, step, timeout, input) -> {
            String flow = flows.next().task().flowSlug();
            // as it is when it is handed over: its only task, which was never claimed, and has not waited
            Task next = step == null ? null : new Task(flow, run, step, 0, 1, 1, timeout, input, null, Duration.ZERO);
            return report(run, outcome, null, end, error, ready, next);
        }));
    }

    /** Records failures, by {@code pgflow.fail_tasks}; a report for each, in their order. */
    List<Report> fail(List<? extends Outcome.Failure> failed) {
        var t = FAIL_TASKS(
                runs(failed),
                steps(failed),
                indexes(failed),
                claims(failed),
                array(failed, Outcome.Failure::error, String[]::new),
                array(failed, Outcome.Failure::permanent, Boolean[]::new),
                array(failed, Queries::retryAfter, Integer[]::new));
        return session.call(db -> db.select(t.RUN_ID, t.OUTCOME, instant(t.RETRY_AT), t.RUN_ENDED, t.RUN_ERROR, t.READY)
                .from(t)
                .orderBy(t.REPORT)
                .fetch(mapping((run, outcome, retryAt, end, error, ready) ->
                        report(run, outcome, retryAt, end, error, ready, null))));
    }

    /** In whole seconds, so that it is never too early. */
    static @Nullable Integer retryAfter(Outcome.Failure failed) {
        Duration after = failed.retryAfter();
        if (after == null) {
            return null;
        }
        if (after.isNegative()) {
            return 0;
        }
        boolean whole = after.truncatedTo(ChronoUnit.SECONDS).equals(after);
        return Math.clamp(after.toSeconds(), 0, Integer.MAX_VALUE - 1) + (whole ? 0 : 1);
    }

    private static Report report(
            UUID run,
            String outcome,
            @Nullable Instant retryAt,
            @Nullable String end,
            @Nullable String error,
            boolean ready,
            @Nullable Task next) {
        var effect = Effect.valueOf(outcome.toUpperCase(Locale.ROOT));
        return new Report(run, effect, retryAt, RunEnd.of(end), error, ready, next);
    }

    /** Hands tasks back without charging the attempt, by {@code pgflow.release_tasks}; how many were still this worker's to give. */
    int release(List<Outcome.Released> released) {
        return session.call(db -> Routines.releaseTasks(
                db.configuration(), runs(released), steps(released), indexes(released), claims(released)));
    }

    /**
     * Hands back the tasks of a flow that the worker has claimed without getting the answer, by {@code pgflow.release_lost_tasks}.
     *
     * @param known those that it knows
     * @return how many were unknown to it
     */
    int releaseLost(String flow, UUID worker, List<Task> known) {
        return session.call(db -> Routines.releaseLostTasks(
                db.configuration(),
                flow,
                worker,
                array(known, Task::runId, UUID[]::new),
                array(known, Task::stepSlug, String[]::new),
                array(known, Task::taskIndex, Integer[]::new),
                array(known, Task::claimNo, Integer[]::new)));
    }

    /** Puts back what nobody works on any more, by {@code pgflow.recover_tasks}. */
    List<Recovered> recover() {
        var t = RECOVER_TASKS();
        return session.call(db -> db.select(
                        t.FLOW_SLUG,
                        t.RUN_ID,
                        t.STEP_SLUG,
                        t.TASK_INDEX,
                        t.OUTCOME,
                        instant(t.SINCE),
                        t.RUN_ENDED.convertFrom(RunEnd::of),
                        t.RUN_ERROR)
                .from(t)
                .fetch(mapping(Recovered::new)));
    }

    /** The inputs of runs, as JSON. */
    Map<UUID, String> runInputs(Set<UUID> runs) {
        return session.call(db -> db.select(RUNS.RUN_ID, RUNS.INPUT.convertFrom(JSONB::data))
                .from(RUNS)
                .where(RUNS.RUN_ID.eq(any(runs.toArray(UUID[]::new))))
                .fetchMap(Record2::value1, Record2::value2));
    }

    private static Field<Duration> seconds(Field<Integer> field) {
        return field.convertFrom(seconds -> seconds == null ? null : Duration.ofSeconds(seconds));
    }

    private static UUID[] runs(List<? extends Outcome> outcomes) {
        return array(outcomes, o -> o.task().runId(), UUID[]::new);
    }

    private static String[] steps(List<? extends Outcome> outcomes) {
        return array(outcomes, o -> o.task().stepSlug(), String[]::new);
    }

    private static Integer[] indexes(List<? extends Outcome> outcomes) {
        return array(outcomes, o -> o.task().taskIndex(), Integer[]::new);
    }

    private static Integer[] claims(List<? extends Outcome> outcomes) {
        return array(outcomes, o -> o.task().claimNo(), Integer[]::new);
    }

    private static <O, T> T[] array(
            List<? extends O> rows,
            Function<O, ? extends @Nullable T> part,
            java.util.function.IntFunction<T[]> empty) {
        return rows.stream().map(part).toArray(empty);
    }
}
