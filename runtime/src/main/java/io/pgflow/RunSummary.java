package io.pgflow;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * A run as a list has it, from its row in {@code pgflow.runs}: without input, output and steps.
 *
 * @param id the run
 * @param flowSlug its flow
 * @param status how far it is
 * @param remainingSteps how many of its steps have neither been completed nor skipped
 * @param startedAt when it was started, by the database's clock
 * @param endedAt when it was completed or failed
 */
public record RunSummary(
        UUID id, String flowSlug, Status status, int remainingSteps, Instant startedAt, Optional<Instant> endedAt) {

    /** How far a run is. */
    public enum Status {
        /** It has not ended. */
        STARTED,
        /** Every step was completed or skipped. */
        COMPLETED,
        /** A step failed. */
        FAILED
    }
}
