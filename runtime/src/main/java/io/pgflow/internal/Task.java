package io.pgflow.internal;

import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A task that this process has claimed: a row of {@code pgflow.claim_tasks}.
 *
 * @param flowSlug the flow, and its queue
 * @param attempt counts from 1
 * @param claimNo goes back with the report, which is late if another claim was made since
 * @param timeout what the database allows this attempt
 * @param input JSON: of a map the element, else an object of the dependencies' outputs
 * @param flowInput JSON, the run's input; null but for single root steps
 * @param waited how long its message had been visible; null if unknown
 */
record Task(
        String flowSlug,
        UUID runId,
        String stepSlug,
        int taskIndex,
        int attempt,
        int claimNo,
        Duration timeout,
        String input,
        @Nullable String flowInput,
        @Nullable Duration waited) {

    /** As log lines begin: {@code reserve[3] of run 018f…}. */
    @Override
    public String toString() {
        return stepSlug + "[" + taskIndex + "] of run " + runId;
    }
}
