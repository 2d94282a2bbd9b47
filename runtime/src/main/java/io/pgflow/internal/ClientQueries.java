package io.pgflow.internal;

import static io.pgflow.internal.Jooq.instant;
import static io.pgflow.internal.Jooq.text;
import static io.pgflow.sql.jooq.pgflow.Tables.AWAIT_RUNS;
import static io.pgflow.sql.jooq.pgflow.Tables.RUNS;
import static io.pgflow.sql.jooq.pgflow.Tables.START_FLOWS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEPS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEP_STATES;
import static org.jooq.Records.mapping;
import static org.jooq.impl.DSL.array;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.row;
import static org.jooq.impl.DSL.rowNumber;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.when;

import io.pgflow.PgflowException;
import io.pgflow.RunQuery;
import io.pgflow.RunSummary;
import io.pgflow.StepState;
import io.pgflow.StoredFlow;
import java.sql.Connection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.Record1;
import org.jooq.Record2;
import org.jooq.SelectField;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * Every statement that the client sends, each in a transaction of its own unless the connection is a caller's. Any thread may call it. Each throws
 * what {@link SqlErrors#explained} makes of an error.
 *
 * <p>Those who wait in line cannot be interrupted, and need not be: a statement without an answer ends after {@link Connections#SILENCE}, unless the
 * pool has another limit, so that the line moves also where the network was cut without a word.
 */
public class ClientQueries {

    /** How many of the callers hold a connection at once. The others wait in line here, where no pool loses patience. */
    private static final int AT_ONCE = 2;

    /** How {@code pgflow.start_flows} says that an id is taken. */
    private static final Pattern OTHER_FLOW = Pattern.compile("Run (\\S+) belongs to flow (\\S+), not to .*");

    private final DSLContext db;
    private final Semaphore line;

    /** Takes a connection for each call: two at once, and one more for {@link #await}. */
    ClientQueries(DataSource dataSource) {
        this(Jooq.on(new AutoCommit(dataSource, Connections.SILENCE)), AT_ONCE);
    }

    /** Works in a caller's transaction. */
    ClientQueries(DSLContext transaction) {
        this(transaction, Integer.MAX_VALUE);
    }

    private ClientQueries(DSLContext db, int atOnce) {
        this.db = db;
        this.line = new Semaphore(atOnce, true);
    }

    /** The same statements in the caller's transaction. */
    public final ClientQueries in(Connection connection) {
        return in(Jooq.on(connection));
    }

    /** The same statements in the transaction that the context of a caller is in. */
    public final ClientQueries inTransaction(DSLContext caller) {
        return in(Jooq.on(caller.configuration().connectionProvider()));
    }

    /** The same statements in a transaction. */
    ClientQueries in(DSLContext transaction) {
        return new ClientQueries(transaction);
    }

    final <T> T call(Function<DSLContext, T> work) {
        line.acquireUninterruptibly();
        try {
            return work.apply(db);
        } catch (DataAccessException e) {
            throw SqlErrors.explained(e);
        } finally {
            line.release();
        }
    }

    /** A run that was started, or was there already. */
    public record Start(UUID id, boolean isNew) {}

    private static final Rendered<Record2<UUID, Boolean>> START = start(param("inputs", JSONB[].class));

    /** With one input, not quoted as an element of an array: to undo that takes the server about as long as to read the JSON. */
    private static final Rendered<Record2<UUID, Boolean>> START_ONE = start(array(param("input", JSONB.class)));

    private static Rendered<Record2<UUID, Boolean>> start(Field<JSONB[]> inputs) {
        var started = START_FLOWS(param("flow", String.class), inputs, param("ids", UUID[].class));
        return Rendered.of(select(started.RUN_ID, started.IS_NEW).from(started));
    }

    /** Starts runs, by {@code pgflow.start_flows}; in the order of the inputs. A null id stands for a new one. */
    public List<Start> start(String flow, List<String> inputs, List<? extends @Nullable UUID> ids) {
        UUID[] given =
                ids.stream().allMatch(Objects::isNull) ? null : ids.toArray(UUID[]::new); // with none it is cheaper
        JSONB[] values = inputs.stream().map(JSONB::valueOf).toArray(JSONB[]::new);
        try {
            return call(db -> values.length == 1
                            ? START_ONE.fetch(db, flow, JsonParameter.of(values[0]), given)
                            : START.fetch(db, flow, values, given))
                    .map(mapping(Start::new));
        } catch (DataAccessException e) {
            throw refused(flow, e);
        }
    }

    /** What a refusal to start runs of a flow means. */
    static RuntimeException refused(String flow, DataAccessException e) {
        var cause = e.getCause(PSQLException.class);
        ServerErrorMessage answer = cause == null ? null : cause.getServerErrorMessage();
        if (answer == null) {
            return e;
        }
        if ("runs_flow_slug_fkey".equals(answer.getConstraint())) {
            return new PgflowException.FlowNotFound(flow, e);
        }
        var other = OTHER_FLOW.matcher(String.valueOf(answer.getMessage()));
        return other.matches()
                ? new PgflowException.RunOfAnotherFlow(UUID.fromString(other.group(1)), flow, other.group(2), e)
                : e;
    }

    /** A page of runs. */
    public List<RunSummary> runs(RunQuery query) {
        return call(db -> Listings.runs(db, query));
    }

    /** All flows with their steps. */
    public List<StoredFlow> flows() {
        return call(Listings::flows);
    }

    /** The latest run of a flow with this input that has not ended. */
    public Optional<UUID> unfinished(String flow, String input) {
        return call(db -> db.select(RUNS.RUN_ID)
                .from(RUNS)
                .where(RUNS.FLOW_SLUG.eq(flow), RUNS.STATUS.eq("started"), RUNS.INPUT.eq(JSONB.valueOf(input)))
                .orderBy(RUNS.STARTED_AT.desc())
                .limit(1)
                .fetchOptional(RUNS.RUN_ID));
    }

    /** Those of the runs that have not ended, by {@code pgflow.await_runs}, and whether the end of each will be announced. Waits in no line. */
    Map<UUID, Boolean> await(Collection<UUID> runs) {
        var t = AWAIT_RUNS(runs.toArray(UUID[]::new));
        return callAtOnce(db -> db.select(t.RUN_ID, t.AWAITED)
                .from(t)
                .where(t.STATUS.eq("started"))
                .fetchMap(Record2::value1, Record2::value2));
    }

    /** Waits in no line. */
    final <T> T callAtOnce(Function<DSLContext, T> work) {
        try {
            return work.apply(db);
        } catch (DataAccessException e) {
            throw SqlErrors.explained(e);
        }
    }

    /** Wakes whoever listens to the channel. Waits in no line. */
    void announce(String channel) {
        Jooq.announce(db, channel);
    }

    /**
     * A run, its steps in the order of their definition, and the outputs of those that are completed.
     *
     * @param output JSON; null unless completed with a leaf
     * @param outputs JSON by slug; a step that gave SQL's null has {@code null} in JSON
     */
    public record Run(
            String flowSlug,
            Instant startedAt,
            @Nullable Instant completedAt,
            @Nullable Instant failedAt,
            @Nullable String output,
            List<StepState> steps,
            Map<String, String> outputs) {}

    private record Row(
            String flowSlug,
            Instant startedAt,
            @Nullable Instant completedAt,
            @Nullable Instant failedAt,
            @Nullable String output,
            @Nullable StepState step,
            @Nullable String stepOutput) {}

    /** A run as it is at one moment. */
    public Optional<Run> run(UUID run) {
        var first = rowNumber().over().orderBy(STEPS.STEP_INDEX).eq(1);
        List<Row> rows = call(db -> db.select(
                        RUNS.FLOW_SLUG,
                        instant(RUNS.STARTED_AT),
                        instant(RUNS.COMPLETED_AT),
                        instant(RUNS.FAILED_AT),
                        text(when(first, RUNS.OUTPUT)), // not once more with each step
                        STEP,
                        text(STEP_STATES.OUTPUT))
                .from(RUNS)
                .leftJoin(STEP_STATES)
                .on(STEP_STATES.RUN_ID.eq(RUNS.RUN_ID))
                .leftJoin(STEPS)
                .on(STEPS.FLOW_SLUG.eq(STEP_STATES.FLOW_SLUG), STEPS.STEP_SLUG.eq(STEP_STATES.STEP_SLUG))
                .where(RUNS.RUN_ID.eq(run))
                .orderBy(STEPS.STEP_INDEX)
                .fetch(mapping(Row::new)));
        if (rows.isEmpty()) {
            return Optional.empty();
        }
        var steps = new ArrayList<StepState>();
        var outputs = new HashMap<String, String>();
        for (Row row : rows) {
            if (row.step() != null) { // a flow may have none
                steps.add(row.step());
                if (row.step().status() == StepState.Status.COMPLETED) {
                    outputs.put(row.step().slug(), row.stepOutput() == null ? "null" : row.stepOutput());
                }
            }
        }
        Row r = rows.getFirst();
        return Optional.of(
                new Run(r.flowSlug(), r.startedAt(), r.completedAt(), r.failedAt(), r.output(), steps, outputs));
    }

    private static final SelectField<@Nullable StepState> STEP = row(
                    STEP_STATES.STEP_SLUG,
                    STEP_STATES.STATUS,
                    STEP_STATES.INITIAL_TASKS,
                    STEP_STATES.REMAINING_TASKS,
                    instant(STEP_STATES.STARTED_AT),
                    instant(coalesce(STEP_STATES.COMPLETED_AT, STEP_STATES.FAILED_AT, STEP_STATES.SKIPPED_AT)),
                    STEP_STATES.ERROR_MESSAGE)
            .mapping(ClientQueries::step);

    private static @Nullable StepState step(
            @Nullable String slug,
            @Nullable String status,
            @Nullable Integer tasks,
            @Nullable Integer remaining,
            @Nullable Instant startedAt,
            @Nullable Instant endedAt,
            @Nullable String error) {
        if (slug == null || status == null) {
            return null;
        }
        return new StepState(
                slug,
                StepState.Status.valueOf(status.toUpperCase(Locale.ROOT)),
                tasks == null ? OptionalInt.empty() : OptionalInt.of(tasks),
                remaining != null ? remaining : tasks != null ? tasks : 0,
                Optional.ofNullable(startedAt),
                Optional.ofNullable(endedAt),
                Optional.ofNullable(error));
    }

    /** The steps of a run, in the order of their definition; none if there is no such run. */
    public List<StepState> steps(UUID run) {
        return call(db -> db.select(STEP)
                .from(STEP_STATES)
                .join(STEPS)
                .on(STEPS.FLOW_SLUG.eq(STEP_STATES.FLOW_SLUG), STEPS.STEP_SLUG.eq(STEP_STATES.STEP_SLUG))
                .where(STEP_STATES.RUN_ID.eq(run))
                .orderBy(STEPS.STEP_INDEX)
                .fetch(Record1::value1));
    }
}
