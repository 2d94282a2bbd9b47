package io.pgflow;

import java.time.Instant;
import java.util.UUID;

/**
 * The circumstances of one attempt at a task, for a handler that names {@link FlowBuilder#context} among its sources.
 * Any thread may ask.
 */
public interface TaskContext {

    /**
     * The run this task belongs to.
     *
     * @return {@code pgflow.runs.run_id}
     */
    UUID runId();

    /**
     * The flow of that run.
     *
     * @return its slug
     */
    String flowSlug();

    /**
     * The step this task belongs to.
     *
     * @return its slug
     */
    String stepSlug();

    /**
     * Which element of a map's list this task is for.
     *
     * @return its index, from 0; 0 in a single step
     */
    int taskIndex();

    /**
     * Which attempt this is.
     *
     * @return 1 for the first, as the database counts them
     */
    int attempt();

    /**
     * When this attempt's time is over: it is failed then and its thread interrupted.
     *
     * @return the instant, by this machine's clock
     */
    Instant deadline();

    /**
     * The worker that runs this attempt.
     *
     * @return {@code pgflow.workers.worker_id}
     */
    UUID workerId();

    /**
     * The input of the run, for handlers that do not name it among their sources, those of maps above all. It is fetched when first asked for, and
     * once for the tasks of a run that come soon after each other.
     *
     * @param source {@link FlowBuilder#input} of this flow's definition
     * @param <I> its type
     * @return the input
     * @throws java.util.concurrent.CancellationException if this attempt is over meanwhile
     */
    <I> I input(Source.Input<I> source);

    /**
     * Whether the result is no longer wanted: the deadline is past, or the worker stops and its grace is over. Handlers
     * that compute for long without blocking, where no interrupt is noticed, ask this now and then and leave.
     *
     * @return true from then on
     */
    boolean cancelled();
}
