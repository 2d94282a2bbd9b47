package io.pgflow.internal;

import static io.pgflow.internal.ContractQueries.NOW;
import static io.pgflow.internal.ContractQueries.VT;
import static io.pgflow.internal.ContractQueries.queue;
import static io.pgflow.sql.jooq.pgflow.Tables.FLOWS;
import static io.pgflow.sql.jooq.pgflow.Tables.RUNS;
import static io.pgflow.sql.jooq.pgflow.Tables.SET_VT_BATCH;
import static io.pgflow.sql.jooq.pgflow.Tables.START_TASKS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEPS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEP_STATES;
import static io.pgflow.sql.jooq.pgflow.Tables.STEP_TASKS;
import static io.pgflow.sql.jooq.pgmq.Tables.READ;
import static java.util.Objects.requireNonNull;
import static org.jooq.Records.mapping;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.function;
import static org.jooq.impl.DSL.min;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.val;

import io.pgflow.internal.Queries.Claim;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.JSONB;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Claims in a schema of pgflow's own, in one transaction each: messages are read, their tasks started and hidden for as long as their attempts may
 * take. Only tasks that this worker really got are given to it.
 */
final class ContractClaims {

    private static final Logger log = LoggerFactory.getLogger(ContractClaims.class);

    /** For how long a message is hidden whose task was not started, in seconds. */
    private static final int LEASE = 5;

    /** By how much a message stays hidden for longer than its attempt may take, in seconds. */
    private static final int AFTER_TIMEOUT = 2;

    /** What a task reads, as {@code start_tasks} gives it. */
    private record Inputs(String input, @Nullable String flowInput) {}

    private ContractClaims() {}

    /** Claims tasks, by {@code pgmq.read} and {@code pgflow.start_tasks}. */
    static Claim claim(DSLContext db, String flow, UUID worker, int most) {
        List<Task> tasks = db.transactionResult(tx -> tasks(tx.dsl(), flow, worker, most));
        return new Claim(tasks, tasks.isEmpty() ? nextVisible(db, flow) : Optional.empty());
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
}
