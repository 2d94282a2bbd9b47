package io.pgflow.internal;

import static io.pgflow.sql.jooq.pgflow.Tables.WORKERS;
import static io.pgflow.sql.jooq.pgmq.Tables.NOTIFY_INSERT_THROTTLE;
import static java.util.Objects.requireNonNull;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.function;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.val;

import io.pgflow.sql.jooq.pgmq.Routines;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.BiFunction;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * The same statements where the schema is pgflow's own, without PgFlow's additions: one call of the contract's functions a task.
 *
 * <p>{@link ContractClaims} and {@link ContractReports} make up for what those leave undone. What a dead worker had in hand is put back by
 * {@code requeue_stalled_tasks}, which that schema's own cron job calls.
 */
final class ContractQueries extends Queries {

    static final Field<OffsetDateTime> NOW = function("clock_timestamp", SQLDataType.OFFSETDATETIME);

    /** Until when a message of a {@link #queue} is hidden. */
    static final Field<OffsetDateTime> VT = field(name("vt"), SQLDataType.OFFSETDATETIME);

    private final Session session;

    /**
     * Reports of lists that an error cut short, until these come again, whole or in parts: only the first answer has the end of its run. For the
     * one thread that records.
     */
    private final Map<Attempt, Report> unread = new HashMap<>();

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
                .setNull(WORKERS.STOPPED_AT)
                .execute());
    }

    @Override
    Standing heartbeat(UUID worker) {
        return session.call(db -> db.update(WORKERS)
                .set(WORKERS.LAST_HEARTBEAT_AT, NOW)
                .setNull(WORKERS.STOPPED_AT)
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

    @Override
    Claim claim(String flow, UUID worker, int most) {
        return session.call(db -> ContractClaims.claim(db, flow, worker, most));
    }

    /** Nothing is handed over. */
    @Override
    List<Report> complete(List<Outcome.Completed> completed, @Nullable UUID @Nullable [] workers) {
        return reports(completed, ContractReports::complete);
    }

    @Override
    List<Report> fail(List<? extends Outcome.Failure> failed) {
        return reports(failed, ContractReports::fail);
    }

    private <O extends Outcome> List<Report> reports(List<O> outcomes, BiFunction<DSLContext, O, Report> record) {
        for (O outcome : outcomes) {
            if (!unread.containsKey(outcome.attempt())) {
                unread.put(outcome.attempt(), session.call(db -> record.apply(db, outcome)));
            }
        }
        return outcomes.stream()
                .map(outcome -> requireNonNull(unread.remove(outcome.attempt())))
                .toList();
    }

    @Override
    int release(List<Outcome.Released> released) {
        return released.stream()
                .mapToInt(outcome -> session.call(db -> ContractReports.release(db, outcome)))
                .sum();
    }

    /** The table of a flow's queue: pgmq names it in lower case. */
    static Table<?> queue(String flow) {
        return table(name("pgmq", "q_" + flow.toLowerCase(Locale.ROOT)));
    }
}
