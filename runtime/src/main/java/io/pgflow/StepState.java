package io.pgflow;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A step of a run, as its row in {@code pgflow.step_states} has it.
 *
 * @param slug the step
 * @param status how far it is
 * @param tasks how many tasks it has: 1, or the length of the list a map takes, from when that is known
 * @param remainingTasks how many of these have not been completed
 * @param startedAt when its first task was queued, by the database's clock
 * @param endedAt when it was completed, failed or skipped
 * @param error what the last attempt of a failed step said
 */
public record StepState(
        String slug,
        Status status,
        OptionalInt tasks,
        int remainingTasks,
        Optional<Instant> startedAt,
        Optional<Instant> endedAt,
        Optional<String> error) {

    /** How far a step is. */
    public enum Status {
        /** It waits for other steps. */
        CREATED,
        /** Its tasks are queued or run. */
        STARTED,
        /** All its tasks are completed. */
        COMPLETED,
        /** A task failed for good, and the run with it. */
        FAILED,
        /** It does not run in this run, and the run goes on without it. */
        SKIPPED
    }
}
