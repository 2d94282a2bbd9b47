package io.pgflow;

import io.pgflow.internal.Json;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The outputs of a run's completed steps, as JSON by slug, read when they are asked for. */
record StepOutputs(UUID run, String flowSlug, Map<String, String> texts, Json json) implements RunState.Outputs {

    @Override
    public <O> @Nullable O of(Step<O> step) {
        if (!step.flowSlug().equals(flowSlug)) {
            throw new IllegalArgumentException(
                    "%s is of flow '%s', and run %s of flow '%s'".formatted(step, step.flowSlug(), run, flowSlug));
        }
        String text = texts.get(step.slug());
        if (text == null) {
            throw new IllegalStateException(step + " is not completed in run " + run);
        }
        return json.read(text, step.type());
    }

    /** Not the outputs themselves: they may be long, or secret. */
    @Override
    public String toString() {
        return "outputs of " + texts.keySet();
    }
}
