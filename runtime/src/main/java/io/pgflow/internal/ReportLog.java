package io.pgflow.internal;

import io.pgflow.internal.Report.RunEnd;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs what the database made of outcomes: what was done, not what was meant. */
final class ReportLog {

    private static final Logger log = LoggerFactory.getLogger(ReportLog.class);

    private ReportLog() {}

    /** Logs what became of the task, and of its run if that ended. */
    static void log(Outcome outcome, Report report) {
        switch (report.effect()) {
            case COMPLETED -> {
                if (log.isDebugEnabled()) {
                    log.debug("{}", line("task_completed", outcome));
                }
            }
            case RETRYING -> log.info("{}", line("task_retried", outcome).with("retry_at", report.retryAt()));
            case FAILED -> log.warn("{}", line("task_failed", outcome));
            case LATE -> log.warn("{}", line("report_late", outcome).with("next", "it changed nothing"));
        }
        runEnded(outcome.task().flowSlug(), outcome.task().runId(), report.runEnded(), report.runError());
    }

    /** Logs what a run ended as; nothing if it did not. */
    static void runEnded(String flow, UUID run, @Nullable RunEnd end, @Nullable String error) {
        switch (end) {
            case null -> {}
            case COMPLETED -> {
                if (log.isDebugEnabled()) {
                    log.debug(
                            "{}", LogLine.of("run_completed").with("flow", flow).with("run", run));
                }
            }
            case FAILED ->
                log.warn(
                        "{}",
                        LogLine.of("run_failed")
                                .with("flow", flow)
                                .with("run", run)
                                .with("error", error));
        }
    }

    private static LogLine line(String event, Outcome outcome) {
        return LogLine.of(event)
                .with(outcome.task())
                .with("duration", outcome.attempt().duration())
                .with("error", outcome instanceof Outcome.Failure failure ? failure.error() : null);
    }
}
