package io.pgflow.internal;

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
        if (report.runEnded() != null) {
            Task task = outcome.task();
            switch (report.runEnded()) {
                case COMPLETED -> {
                    if (log.isDebugEnabled()) {
                        log.debug("{}", line("run_completed", task));
                    }
                }
                case FAILED -> log.warn("{}", line("run_failed", task));
            }
        }
    }

    private static LogLine line(String event, Outcome outcome) {
        return LogLine.of(event)
                .with(outcome.task())
                .with("duration", outcome.attempt().duration())
                .with("error", outcome instanceof Outcome.Failure failure ? failure.error() : null);
    }

    private static LogLine line(String event, Task task) {
        return LogLine.of(event).with("flow", task.flowSlug()).with("run", task.runId());
    }
}
