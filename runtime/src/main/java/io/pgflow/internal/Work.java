package io.pgflow.internal;

import io.pgflow.Flow;
import io.pgflow.WorkerListener;
import java.util.List;

/**
 * What the workers of a process shall do, and how.
 *
 * @param flows one or more
 * @param settings the same for all
 * @param json how values are bound
 * @param listeners who is told of it
 */
public record Work(List<Flow<?>> flows, WorkerSettings settings, Json json, List<WorkerListener> listeners) {

    /** The same for some of the flows. */
    Work of(List<Flow<?>> some) {
        return new Work(some, settings, json, listeners);
    }
}
