package io.pgflow.internal;

import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the database made of a reported outcome: a row of {@code pgflow.complete_tasks} or {@code pgflow.fail_tasks}.
 *
 * @param retryAt when the next attempt is due, if there will be one; by the database's clock
 * @param runEnded what the run ended as; at most once for each run, by the report whose call ended it
 * @param runError what failed the run, if it failed
 * @param ready whether a step of the run started whose tasks can be claimed
 * @param next a task of a step that this made ready, if it was started for this worker at once
 */
record Report(
        UUID runId,
        Effect effect,
        @Nullable Instant retryAt,
        @Nullable RunEnd runEnded,
        @Nullable String runError,
        boolean ready,
        @Nullable Task next) {

    /** What became of the task. */
    enum Effect {
        COMPLETED,
        RETRYING,
        FAILED,
        /** Nothing: its claim is not the current one. */
        LATE
    }

    /** How a run ended. */
    enum RunEnd {
        COMPLETED,
        FAILED;

        /** As the database has it; null for null. */
        static @Nullable RunEnd of(@Nullable String status) {
            return status == null ? null : valueOf(status.toUpperCase(Locale.ROOT));
        }
    }
}
