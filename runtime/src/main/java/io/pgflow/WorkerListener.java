package io.pgflow;

/**
 * Is told what workers do: {@link WorkerOptions#listener}. Each listener is called on a thread of its own, one event at a time, in the order in
 * which the events happened to each task. A slow listener holds up nobody: when 10,000 events wait for it, further ones are dropped, and a
 * warning in the log counts them. What it throws is logged, and the next event follows.
 */
@FunctionalInterface
public interface WorkerListener {

    /**
     * Takes notice of an event.
     *
     * @param event what happened
     * @throws Exception to be logged
     */
    void on(WorkerEvent event) throws Exception;

    /**
     * Gets hold of the workers that the events are about, on the thread that starts them: it should return at once. The first events may have come
     * before.
     *
     * @param workers just started
     * @throws Exception to be logged
     */
    default void started(RunningWorkers workers) throws Exception {}
}
