package io.pgflow;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A run as the database had it at one moment. Immutable. */
public sealed interface RunState {

    /**
     * The run.
     *
     * @return {@code pgflow.runs.run_id}
     */
    UUID id();

    /**
     * The flow it is a run of.
     *
     * @return its slug
     */
    String flowSlug();

    /**
     * When it was started.
     *
     * @return by the database's clock
     */
    Instant startedAt();

    /**
     * Its steps.
     *
     * @return in the order of the flow's definition
     */
    List<StepState> steps();

    /**
     * What the steps gave.
     *
     * @return the outputs of the completed steps
     */
    Outputs outputs();

    /**
     * What a step gave.
     *
     * @param step a step of the run's flow
     * @param <O> its output
     * @return the output, read from JSON at each call
     * @throws IllegalStateException if the step has no output: it has not ended, failed or was skipped
     * @throws IllegalArgumentException if the step is of another flow, or its output does not fit its type
     */
    default <O> @Nullable O of(Step<O> step) {
        return outputs().of(step);
    }

    /** The outputs of a run's completed steps. */
    interface Outputs {
        /**
         * What a step gave.
         *
         * @param step a step of the run's flow
         * @param <O> its output
         * @return the output, read from JSON at each call
         * @throws IllegalStateException if the step has no output: it has not ended, failed or was skipped
         * @throws IllegalArgumentException if the step is of another flow, or its output does not fit its type
         */
        <O> @Nullable O of(Step<O> step);
    }

    /**
     * Not ended yet.
     *
     * @param id the run
     * @param flowSlug its flow
     * @param startedAt when it was started
     * @param steps its steps
     * @param outputs what they gave so far
     */
    record Started(UUID id, String flowSlug, Instant startedAt, List<StepState> steps, Outputs outputs)
            implements RunState {}

    /**
     * Ended well: every step was completed or skipped.
     *
     * @param id the run
     * @param flowSlug its flow
     * @param startedAt when it was started
     * @param completedAt when it was completed
     * @param output JSON: an object of the outputs of the completed steps that no other reads, by slug; empty if there is none
     * @param steps its steps
     * @param outputs what they gave
     */
    record Completed(
            UUID id,
            String flowSlug,
            Instant startedAt,
            Instant completedAt,
            Optional<String> output,
            List<StepState> steps,
            Outputs outputs)
            implements RunState {}

    /**
     * Ended by a step that failed.
     *
     * @param id the run
     * @param flowSlug its flow
     * @param startedAt when it was started
     * @param failedAt when it failed
     * @param failedStep the slug of that step; empty if the run was failed by hand
     * @param error what the step's last attempt said
     * @param steps its steps
     * @param outputs what those gave that were completed before
     */
    record Failed(
            UUID id,
            String flowSlug,
            Instant startedAt,
            Instant failedAt,
            Optional<String> failedStep,
            String error,
            List<StepState> steps,
            Outputs outputs)
            implements RunState {}
}
