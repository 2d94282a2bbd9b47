package io.pgflow.examples.quickstart;

import io.pgflow.StepState;
import java.time.Duration;
import java.util.List;

/** Shows how far a run is, each time it is told. Called by one thread at a time. */
sealed interface Progress permits LiveProgress, PlainProgress {

    /**
     * Shows a newer state.
     *
     * @param steps all of the run, in the order of the flow
     * @param tasksPerSecond as done by this program
     */
    void show(List<StepState> steps, long tasksPerSecond);

    /** How many tasks the steps have, as far as that is known. */
    static int tasks(List<StepState> steps) {
        return steps.stream().mapToInt(step -> step.tasks().orElse(0)).sum();
    }

    /** How many of them are done. */
    static int done(List<StepState> steps) {
        return tasks(steps) - steps.stream().mapToInt(StepState::remainingTasks).sum();
    }

    /** How long a step took; empty if it has not ended, or not begun. */
    static String took(StepState step) {
        return step.startedAt()
                .flatMap(start -> step.endedAt().map(end -> Duration.between(start, end)))
                .map(Numbers::seconds)
                .orElse("");
    }
}
