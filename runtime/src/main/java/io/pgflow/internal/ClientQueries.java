package io.pgflow.internal;

import static io.pgflow.internal.Jooq.instant;
import static io.pgflow.internal.Jooq.text;
import static io.pgflow.sql.jooq.pgflow.Tables.RUNS;
import static io.pgflow.sql.jooq.pgflow.Tables.START_FLOWS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEPS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEP_STATES;
import static org.jooq.Records.mapping;
import static org.jooq.impl.DSL.coalesce;

import io.pgflow.StepState;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.JSONB;
import org.jspecify.annotations.Nullable;

/** Every statement that the client sends, each in a transaction of its own on a connection from the pool. Any thread may call it. */
public final class ClientQueries {

    private final DSLContext db;

    /** Takes a connection of the pool for each call. */
    public ClientQueries(DataSource dataSource) {
        db = Jooq.on(dataSource);
    }

    /**
     * A run as its row has it.
     *
     * @param input JSON
     * @param output JSON; null unless completed with a leaf
     */
    public record Run(
            UUID id,
            String flowSlug,
            String status,
            String input,
            @Nullable String output,
            Instant startedAt,
            @Nullable Instant completedAt,
            @Nullable Instant failedAt) {}

    /** Starts runs, by {@code pgflow.start_flows}; ids in the order of the inputs. A null id stands for a new one. */
    public List<UUID> start(String flow, List<String> inputs, List<@Nullable UUID> ids) {
        var t = START_FLOWS(flow, inputs.stream().map(JSONB::valueOf).toArray(JSONB[]::new), ids.toArray(UUID[]::new));
        return db.select(t.RUN_ID).from(t).fetch(t.RUN_ID);
    }

    /** The latest run of a flow with this input that has not ended. */
    public Optional<UUID> unfinished(String flow, String input) {
        return db.select(RUNS.RUN_ID)
                .from(RUNS)
                .where(RUNS.FLOW_SLUG.eq(flow), RUNS.STATUS.eq("started"), RUNS.INPUT.eq(JSONB.valueOf(input)))
                .orderBy(RUNS.STARTED_AT.desc())
                .limit(1)
                .fetchOptional(RUNS.RUN_ID);
    }

    /** The status of a run: started, completed or failed. */
    public Optional<String> status(UUID run) {
        return db.select(RUNS.STATUS).from(RUNS).where(RUNS.RUN_ID.eq(run)).fetchOptional(RUNS.STATUS);
    }

    /** A run. */
    public Optional<Run> run(UUID run) {
        return db.select(
                        RUNS.RUN_ID,
                        RUNS.FLOW_SLUG,
                        RUNS.STATUS,
                        text(RUNS.INPUT),
                        text(RUNS.OUTPUT),
                        instant(RUNS.STARTED_AT),
                        instant(RUNS.COMPLETED_AT),
                        instant(RUNS.FAILED_AT))
                .from(RUNS)
                .where(RUNS.RUN_ID.eq(run))
                .fetchOptional(mapping(Run::new));
    }

    /** The steps of a run, in the order of their definition. */
    public List<StepState> steps(UUID run) {
        return db.select(
                        STEP_STATES.STEP_SLUG,
                        STEP_STATES.STATUS,
                        STEP_STATES.INITIAL_TASKS,
                        STEP_STATES.REMAINING_TASKS,
                        instant(STEP_STATES.STARTED_AT),
                        instant(coalesce(STEP_STATES.COMPLETED_AT, STEP_STATES.FAILED_AT, STEP_STATES.SKIPPED_AT)),
                        STEP_STATES.ERROR_MESSAGE)
                .from(STEP_STATES)
                .join(STEPS)
                .on(STEPS.FLOW_SLUG.eq(STEP_STATES.FLOW_SLUG), STEPS.STEP_SLUG.eq(STEP_STATES.STEP_SLUG))
                .where(STEP_STATES.RUN_ID.eq(run))
                .orderBy(STEPS.STEP_INDEX)
                .fetch(mapping(ClientQueries::step));
    }

    private static StepState step(
            String slug,
            String status,
            @Nullable Integer tasks,
            @Nullable Integer remaining,
            @Nullable Instant startedAt,
            @Nullable Instant endedAt,
            @Nullable String error) {
        return new StepState(
                slug,
                StepState.Status.valueOf(status.toUpperCase(java.util.Locale.ROOT)),
                tasks == null ? OptionalInt.empty() : OptionalInt.of(tasks),
                remaining != null ? remaining : tasks != null ? tasks : 0,
                Optional.ofNullable(startedAt),
                Optional.ofNullable(endedAt),
                Optional.ofNullable(error));
    }

    /** The outputs of a run's completed steps by slug, as JSON; a step that gave SQL's null has {@code null} in JSON. */
    public Map<String, String> outputs(UUID run) {
        var outputs = new HashMap<String, String>();
        db.select(STEP_STATES.STEP_SLUG, STEP_STATES.OUTPUT)
                .from(STEP_STATES)
                .where(STEP_STATES.RUN_ID.eq(run), STEP_STATES.STATUS.eq("completed"))
                .forEach(row -> outputs.put(
                        row.value1(),
                        row.value2() == null ? "null" : row.value2().data()));
        return outputs;
    }
}
