package io.pgflow.internal;

import io.pgflow.Flow;
import io.pgflow.PgflowException;
import io.pgflow.WorkerOptions.FailedStart;
import java.util.ArrayList;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings flows into the database before workers serve them. */
final class ServedFlows {

    private static final Logger log = LoggerFactory.getLogger(ServedFlows.class);

    private ServedFlows() {}

    /**
     * Compiles flows as far as the settings allow.
     *
     * @return the same for those that can be served: all, unless the settings say to leave out those that cannot
     * @throws PgflowException if one cannot be served, or with those settings none
     */
    static Work compiled(Work work, Database database, StartChecks checks) {
        var compiler = new FlowCompiler(database.dataSource());
        var served = new ArrayList<Flow<?>>();
        for (Flow<?> flow : work.flows()) {
            try {
                compile(flow, compiler, work.settings());
                served.add(flow);
            } catch (PgflowException | DataAccessException e) {
                var reason = e instanceof DataAccessException refusal
                        ? checks.explained(refusal, "compile flow '" + flow.slug() + "'")
                        : e;
                boolean last = served.isEmpty() && flow.equals(work.flows().getLast());
                if (work.settings().failedStart() == FailedStart.STOP_ALL
                        || last
                        || reason instanceof PgflowException.DatabaseUnavailable) {
                    throw reason;
                }
                log.error(
                        "{}",
                        LogLine.of("flow_not_served")
                                .with("flow", flow.slug())
                                .with("error", reason.getMessage())
                                .with("next", "the other flows are served"));
            }
        }
        return work.of(served);
    }

    private static void compile(Flow<?> flow, FlowCompiler compiler, WorkerSettings settings) {
        var line = LogLine.of("flow_compiled").with("flow", flow.slug());
        switch (compiler.compile(flow, settings.compile())) {
            case NOTHING -> {}
            case WRITTEN -> log.info("{}", line.with("found", "none"));
            case REPLACED -> log.warn("{}", line.with("found", "another shape").with("lost", "its runs"));
        }
        var tuned = compiler.tunedOptions(flow);
        if (!tuned.isEmpty()) {
            log.warn(
                    "{}",
                    LogLine.of("options_differ")
                            .with("flow", flow.slug())
                            .with("in_database", String.join(", ", tuned))
                            .with("next", "the database's rule"));
        }
    }
}
