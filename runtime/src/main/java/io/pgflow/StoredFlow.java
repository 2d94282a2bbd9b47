package io.pgflow;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A flow as the database has it, whichever program compiled it. Its options are those in force: operators may have changed them since.
 *
 * @param slug the flow
 * @param maxAttempts how often a task may be tried, unless its step says otherwise
 * @param baseDelay the base of the pauses between attempts, unless the step says otherwise
 * @param timeout how long an attempt may take, unless the step says otherwise
 * @param createdAt when it was compiled, by the database's clock
 * @param steps in the order of definition
 */
public record StoredFlow(
        String slug, int maxAttempts, Duration baseDelay, Duration timeout, Instant createdAt, List<Step> steps) {

    /** Copies the steps. */
    public StoredFlow {
        steps = List.copyOf(steps);
    }

    /**
     * A step. What is empty of its options is the flow's.
     *
     * @param slug the step
     * @param isMap whether it runs a task for each element of a list
     * @param dependencies the steps it waits for, by slug
     * @param maxAttempts how often a task may be tried
     * @param baseDelay the base of the pauses between attempts
     * @param timeout how long an attempt may take
     * @param startDelay how long its tasks wait when they are ready
     * @param onlyIf JSON that its input must contain
     * @param unless JSON that its input must not contain
     * @param whenUnmet what happens where that is not so
     * @param whenExhausted what happens after the last attempt
     */
    public record Step(
            String slug,
            boolean isMap,
            List<String> dependencies,
            OptionalInt maxAttempts,
            Optional<Duration> baseDelay,
            Optional<Duration> timeout,
            Optional<Duration> startDelay,
            Optional<String> onlyIf,
            Optional<String> unless,
            Otherwise whenUnmet,
            Otherwise whenExhausted) {

        /** Copies the dependencies. */
        public Step {
            dependencies = List.copyOf(dependencies);
        }
    }
}
