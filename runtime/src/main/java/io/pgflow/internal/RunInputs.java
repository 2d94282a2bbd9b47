package io.pgflow.internal;

import io.pgflow.Flow;
import io.pgflow.Source;
import io.pgflow.Step;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * The inputs of runs, for steps that read them although other steps come before: their claims do not carry them. Each is fetched once, and kept
 * while its run is among the latest. For one thread, which is not a handler's: an interrupt there would break the connection.
 */
final class RunInputs {

    private static final int KEPT = 2 * PollLoop.LARGEST_CLAIM; // no claim crowds out its own

    private final Set<String> readers;
    private final Queries queries;
    private final Map<UUID, String> inputs = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<UUID, String> eldest) {
            return size() > KEPT;
        }
    };

    RunInputs(Flow<?> flow, Queries queries) {
        this.readers = flow.steps().stream()
                .filter(step -> !step.dependencies().isEmpty())
                .filter(step -> step.sources().stream().anyMatch(source -> source instanceof Source.Input<?>))
                .map(Step::slug)
                .collect(Collectors.toUnmodifiableSet());
        this.queries = queries;
    }

    /** The same tasks, with the run's input where their step reads it. */
    List<Task> fill(List<Task> tasks) {
        if (readers.isEmpty()) {
            return tasks;
        }
        var missing = tasks.stream()
                .filter(task -> readers.contains(task.stepSlug()) && !inputs.containsKey(task.runId()))
                .map(Task::runId)
                .collect(Collectors.toSet());
        if (!missing.isEmpty()) {
            inputs.putAll(queries.runInputs(missing));
        }
        return tasks.stream()
                .map(task -> readers.contains(task.stepSlug()) ? task.withFlowInput(inputs.get(task.runId())) : task)
                .toList();
    }
}
