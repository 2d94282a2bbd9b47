package io.pgflow.internal;

import static io.pgflow.sql.jooq.pgflow.Tables.FLOWS;

import io.pgflow.Flow;
import io.pgflow.PgflowException;
import io.pgflow.Step;
import io.pgflow.sql.jooq.pgflow.Routines;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import javax.sql.DataSource;
import org.jooq.Configuration;
import org.jooq.JSONB;
import org.jspecify.annotations.Nullable;

/** Writes flow definitions into the database, where they are missing. */
final class FlowCompiler {

    private final DataSource dataSource;

    FlowCompiler(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /**
     * Compiles the flow, by {@code pgflow.create_flow} and {@code add_step}; one that is there is compared. One transaction.
     *
     * @return whether it was missing
     * @throws PgflowException.FlowMismatch if the one in the database has another shape
     */
    boolean compile(Flow<?> flow) {
        return Jooq.on(dataSource).transactionResult(tx -> {
            boolean missing = !tx.dsl().fetchExists(FLOWS, FLOWS.FLOW_SLUG.eq(flow.slug()));
            if (missing) {
                // waits for another process that does the same; what is there then stays
                Routines.createFlow(
                        tx,
                        flow.slug(),
                        number(flow.maxAttempts()),
                        seconds(flow.baseDelay()),
                        seconds(flow.timeout()));
                flow.steps().forEach(step -> add(tx, step));
            }
            String[] differences = Routines._CompareFlowShapes(
                    tx, JSONB.valueOf(flow.shape()), Routines._GetFlowShape(tx, flow.slug()));
            if (differences.length > 0) {
                throw new PgflowException.FlowMismatch(flow.slug(), List.of(differences));
            }
            return missing;
        });
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
