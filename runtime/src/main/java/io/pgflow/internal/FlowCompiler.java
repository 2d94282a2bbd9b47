package io.pgflow.internal;

import static io.pgflow.sql.jooq.pgflow.Tables.FLOWS;
import static io.pgflow.sql.jooq.pgflow.Tables.STEPS;

import io.pgflow.Flow;
import io.pgflow.PgflowException;
import io.pgflow.Step;
import io.pgflow.WorkerOptions.Compile;
import io.pgflow.sql.jooq.pgflow.Routines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import javax.sql.DataSource;
import org.jooq.Configuration;
import org.jooq.JSONB;
import org.jspecify.annotations.Nullable;

/** Compares flow definitions with those in the database, and writes them there. */
final class FlowCompiler {

    private final DataSource dataSource;

    FlowCompiler(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** What was done about a flow. */
    enum Done {
        /** It is there, in this shape. */
        NOTHING,
        /** It was missing. */
        WRITTEN,
        /** It had another shape; its runs are gone. */
        REPLACED
    }

    /**
     * Compares the flow with the one in the database, and writes it where that is allowed, by {@code pgflow.create_flow} and {@code add_step}. One
     * transaction.
     *
     * @throws PgflowException.FlowMissing if it is missing and shall not be written
     * @throws PgflowException.FlowMismatch if the one in the database has another shape and shall not be replaced
     */
    Done compile(Flow<?> flow, Compile how) {
        return Jooq.on(dataSource).transactionResult(tx -> {
            boolean missing = !tx.dsl().fetchExists(FLOWS, FLOWS.FLOW_SLUG.eq(flow.slug()));
            if (missing) {
                if (how == Compile.VERIFY) {
                    throw new PgflowException.FlowMissing(flow.slug());
                }
                write(tx, flow);
            }
            List<String> differences = differences(tx, flow);
            if (differences.isEmpty()) {
                return missing ? Done.WRITTEN : Done.NOTHING;
            }
            if (how != Compile.RECOMPILE) {
                throw new PgflowException.FlowMismatch(flow.slug(), differences);
            }
            Routines.deleteFlowAndData(tx, flow.slug());
            write(tx, flow);
            return Done.REPLACED;
        });
    }

    private static List<String> differences(Configuration tx, Flow<?> flow) {
        return List.of(
                Routines._CompareFlowShapes(tx, JSONB.valueOf(flow.shape()), Routines._GetFlowShape(tx, flow.slug())));
    }

    private static void write(Configuration tx, Flow<?> flow) {
        // waits for another process that does the same; what is there then stays
        Routines.createFlow(
                tx, flow.slug(), number(flow.maxAttempts()), seconds(flow.baseDelay()), seconds(flow.timeout()));
        flow.steps().forEach(step -> add(tx, step));
    }

    /** The options that the code sets and the database has otherwise: operators change them there, and the database rules. */
    List<String> tunedOptions(Flow<?> flow) {
        var tuned = new ArrayList<String>();
        var db = Jooq.on(dataSource);
        db.select(FLOWS.OPT_MAX_ATTEMPTS, FLOWS.OPT_BASE_DELAY, FLOWS.OPT_TIMEOUT)
                .from(FLOWS)
                .where(FLOWS.FLOW_SLUG.eq(flow.slug()))
                .forEach(row -> {
                    compare(tuned, "maxAttempts", number(flow.maxAttempts()), row.value1());
                    compare(tuned, "baseDelay", seconds(flow.baseDelay()), row.value2());
                    compare(tuned, "timeout", seconds(flow.timeout()), row.value3());
                });
        db.select(
                        STEPS.STEP_SLUG,
                        STEPS.OPT_MAX_ATTEMPTS,
                        STEPS.OPT_BASE_DELAY,
                        STEPS.OPT_TIMEOUT,
                        STEPS.OPT_START_DELAY)
                .from(STEPS)
                .where(STEPS.FLOW_SLUG.eq(flow.slug()))
                .orderBy(STEPS.STEP_INDEX)
                .forEach(row -> flow.step(row.value1()).ifPresent(step -> {
                    String of = " of step '" + step.slug() + "'";
                    compare(tuned, "maxAttempts" + of, number(step.maxAttempts()), row.value2());
                    compare(tuned, "baseDelay" + of, seconds(step.baseDelay()), row.value3());
                    compare(tuned, "timeout" + of, seconds(step.timeout()), row.value4());
                    compare(tuned, "startDelay" + of, seconds(step.startDelay()), row.value5());
                }));
        return tuned;
    }

    private static void compare(
            List<String> tuned, String option, @Nullable Integer inCode, @Nullable Integer inDatabase) {
        if (inCode != null && !inCode.equals(inDatabase)) {
            tuned.add("%s is %s, not %s".formatted(option, inDatabase == null ? "unset" : inDatabase, inCode));
        }
    }

    private static void add(Configuration tx, Step<?> step) {
        Routines.addStep(
                tx,
                step.flowSlug(),
                step.slug(),
                step.dependencies().stream().map(Step::slug).toArray(String[]::new),
                number(step.maxAttempts()),
                seconds(step.baseDelay()),
                seconds(step.timeout()),
                seconds(step.startDelay()),
                step.isMap() ? "map" : "single",
                step.onlyIf().map(JSONB::valueOf).orElse(null),
                step.unless().map(JSONB::valueOf).orElse(null),
                step.whenUnmet().text(),
                step.whenExhausted().text());
    }

    private static @Nullable Integer number(OptionalInt number) {
        return number.isPresent() ? number.getAsInt() : null;
    }

    private static @Nullable Integer seconds(Optional<Duration> duration) {
        return duration.map(d -> Math.toIntExact(d.toSeconds())).orElse(null);
    }
}
