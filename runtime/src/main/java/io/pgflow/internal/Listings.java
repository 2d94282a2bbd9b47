package io.pgflow.internal;

import static io.pgflow.internal.Jooq.instant;
import static io.pgflow.internal.Jooq.text;
import static io.pgflow.sql.jooq.pgflow.Tables.DEPS;
import static io.pgflow.sql.jooq.pgflow.Tables.FLOWS;
import static io.pgflow.sql.jooq.pgflow.Tables.RUNS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEPS;
import static org.jooq.Records.mapping;
import static org.jooq.impl.DSL.array;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.currentOffsetDateTime;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.lateral;
import static org.jooq.impl.DSL.min;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.row;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;

import io.pgflow.Otherwise;
import io.pgflow.RunQuery;
import io.pgflow.RunSummary;
import io.pgflow.StoredFlow;
import io.pgflow.internal.Engine.Backlog;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/** The statements that list flows, runs, and what waits. */
final class Listings {

    private Listings() {}

    /**
     * A page of runs. Flow by flow, each along its index and no further than the page is long: there is no index over the runs of all flows, and flows
     * are few.
     */
    static List<RunSummary> runs(DSLContext db, RunQuery query) {
        var chosen = RUNS.FLOW_SLUG
                .eq(FLOWS.FLOW_SLUG)
                .and(query.status()
                        .map(status -> RUNS.STATUS.eq(status.name().toLowerCase(Locale.ROOT)))
                        .orElse(noCondition()))
                .and(query.since().map(since -> RUNS.STARTED_AT.ge(time(since))).orElse(noCondition()))
                .and(query.olderThan()
                        .map(last -> row(RUNS.STARTED_AT, RUNS.RUN_ID).lt(time(last.startedAt()), last.id()))
                        .orElse(noCondition()));
        var page = lateral(select(
                                RUNS.RUN_ID,
                                RUNS.FLOW_SLUG,
                                RUNS.STATUS,
                                RUNS.REMAINING_STEPS,
                                RUNS.STARTED_AT,
                                RUNS.COMPLETED_AT,
                                RUNS.FAILED_AT)
                        .from(RUNS)
                        .where(chosen)
                        .orderBy(RUNS.STARTED_AT.desc(), RUNS.RUN_ID.desc())
                        .limit(query.limit()))
                .as("page");
        var run = RUNS.as("page"); // the names of its columns
        return db.select(
                        run.RUN_ID,
                        run.FLOW_SLUG,
                        run.STATUS,
                        run.REMAINING_STEPS,
                        instant(run.STARTED_AT),
                        instant(coalesce(run.COMPLETED_AT, run.FAILED_AT)))
                .from(FLOWS)
                .crossJoin(page)
                .where(query.flowSlug().map(FLOWS.FLOW_SLUG::eq).orElse(noCondition()))
                .orderBy(run.STARTED_AT.desc(), run.RUN_ID.desc())
                .limit(query.limit())
                .fetch(mapping((id, flow, status, remaining, startedAt, endedAt) -> new RunSummary(
                        id,
                        flow,
                        RunSummary.Status.valueOf(status.toUpperCase(Locale.ROOT)),
                        remaining,
                        startedAt,
                        Optional.ofNullable(endedAt))));
    }

    private static OffsetDateTime time(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    /** All flows with their steps, by slug. */
    static List<StoredFlow> flows(DSLContext db) {
        var dependencies = array(select(DEPS.DEP_SLUG)
                .from(DEPS)
                .where(DEPS.FLOW_SLUG.eq(STEPS.FLOW_SLUG), DEPS.STEP_SLUG.eq(STEPS.STEP_SLUG))
                .orderBy(DEPS.DEP_SLUG));
        var createdAt = instant(FLOWS.CREATED_AT.as("flow_created_at"));
        var onlyIf = text(STEPS.REQUIRED_INPUT_PATTERN);
        var unless = text(STEPS.FORBIDDEN_INPUT_PATTERN);
        var groups = db.select(
                        FLOWS.FLOW_SLUG, FLOWS.OPT_MAX_ATTEMPTS, FLOWS.OPT_BASE_DELAY, FLOWS.OPT_TIMEOUT, createdAt)
                .select(STEPS.STEP_SLUG, STEPS.STEP_TYPE, dependencies)
                .select(STEPS.OPT_MAX_ATTEMPTS, STEPS.OPT_BASE_DELAY, STEPS.OPT_TIMEOUT, STEPS.OPT_START_DELAY)
                .select(onlyIf, unless, STEPS.WHEN_UNMET, STEPS.WHEN_EXHAUSTED)
                .from(FLOWS)
                .leftJoin(STEPS)
                .on(STEPS.FLOW_SLUG.eq(FLOWS.FLOW_SLUG))
                .orderBy(FLOWS.FLOW_SLUG, STEPS.STEP_INDEX)
                .fetchGroups(FLOWS.FLOW_SLUG);
        var flows = new ArrayList<StoredFlow>();
        groups.forEach((slug, rows) -> {
            Record flow = rows.getFirst();
            flows.add(new StoredFlow(
                    slug,
                    flow.get(FLOWS.OPT_MAX_ATTEMPTS),
                    Duration.ofSeconds(flow.get(FLOWS.OPT_BASE_DELAY)),
                    Duration.ofSeconds(flow.get(FLOWS.OPT_TIMEOUT)),
                    flow.get(createdAt),
                    rows.stream()
                            .filter(step -> step.get(STEPS.STEP_SLUG) != null) // a flow may have none
                            .map(step -> new StoredFlow.Step(
                                    step.get(STEPS.STEP_SLUG),
                                    step.get(STEPS.STEP_TYPE).equals("map"),
                                    List.of(step.get(dependencies)),
                                    number(step.get(STEPS.OPT_MAX_ATTEMPTS)),
                                    seconds(step.get(STEPS.OPT_BASE_DELAY)),
                                    seconds(step.get(STEPS.OPT_TIMEOUT)),
                                    seconds(step.get(STEPS.OPT_START_DELAY)),
                                    Optional.ofNullable(step.get(onlyIf)),
                                    Optional.ofNullable(step.get(unless)),
                                    otherwise(step.get(STEPS.WHEN_UNMET)),
                                    otherwise(step.get(STEPS.WHEN_EXHAUSTED))))
                            .toList()));
        });
        return flows;
    }

    /** The messages of a flow's queue that are visible: along its index, by the time of the statement. */
    static Backlog backlog(DSLContext db, String flow) {
        var visibleSince = field(name("vt"), SQLDataType.TIMESTAMPWITHTIMEZONE);
        return db.select(count(), instant(min(visibleSince)), instant(currentOffsetDateTime()))
                .from(table(name("pgmq", "q_" + flow.toLowerCase(Locale.ROOT))))
                .where(visibleSince.le(currentOffsetDateTime()))
                .fetchSingle(mapping((tasks, first, now) ->
                        new Backlog(tasks, first == null ? Duration.ZERO : Duration.between(first, now))));
    }

    private static OptionalInt number(@Nullable Integer number) {
        return number == null ? OptionalInt.empty() : OptionalInt.of(number);
    }

    private static Optional<Duration> seconds(@Nullable Integer seconds) {
        return Optional.ofNullable(seconds).map(Duration::ofSeconds);
    }

    private static Otherwise otherwise(String text) {
        return Arrays.stream(Otherwise.values())
                .filter(otherwise -> otherwise.text().equals(text))
                .findFirst()
                .orElseThrow();
    }
}
