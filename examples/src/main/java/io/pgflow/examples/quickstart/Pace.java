package io.pgflow.examples.quickstart;

import io.pgflow.StepState;
import java.time.Duration;
import java.util.List;

/**
 * How fast this program is.
 *
 * @param startedAt when it began, by {@link System#nanoTime}
 * @param doneBefore the tasks that another program had done by then
 */
record Pace(long startedAt, int doneBefore) {

    static Pace from(int doneBefore) {
        return new Pace(System.nanoTime(), doneBefore);
    }

    /** How many tasks were done since. */
    int tasks(List<StepState> steps) {
        return Progress.done(steps) - doneBefore;
    }

    /** How many tasks were done a second. */
    long tasksPerSecond(List<StepState> steps) {
        return Math.round(tasks(steps) * 1e9 / Math.max(1, time().toNanos()));
    }

    Duration time() {
        return Duration.ofNanos(System.nanoTime() - startedAt);
    }
}
