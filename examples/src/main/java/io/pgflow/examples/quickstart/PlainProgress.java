package io.pgflow.examples.quickstart;

import io.pgflow.StepState;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** For files, pipes and simple terminals: a line when a step has ended, and for each tenth of the tasks of a long one. */
final class PlainProgress implements Progress {
    private final PrintStream out;
    private final Map<String, String> said = new HashMap<>();

    PlainProgress(PrintStream out) {
        this.out = out;
    }

    @Override
    public void show(List<StepState> steps, long tasksPerSecond) {
        for (StepState step : steps) {
            String line = line(step);
            if (!line.isEmpty() && !line.equals(said.put(step.slug(), line))) {
                out.println(line);
            }
        }
        out.flush();
    }

    private static String line(StepState step) {
        int tasks = step.tasks().orElse(0);
        return switch (step.status()) {
            case CREATED -> "";
            case STARTED -> {
                int tenths = tasks == 0 ? 0 : (int) (10L * (tasks - step.remainingTasks()) / tasks);
                yield tenths == 0 ? "" : step.slug() + ": " + 10 * tenths + " % of " + Numbers.of(tasks, "task");
            }
            case COMPLETED -> step.slug() + ": done, " + Numbers.of(tasks, "task") + " in " + Progress.took(step);
            case SKIPPED -> step.slug() + ": skipped";
            case FAILED -> step.slug() + ": failed";
        };
    }
}
