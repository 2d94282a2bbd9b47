package io.pgflow;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * What a worker did or met, for a {@link WorkerListener}. What is said of the end of a task or a run is what the database answered to its report,
 * never what the worker expected. Outputs are not part of events, and error texts are cut to 1,000 characters. Times are this machine's unless
 * said otherwise.
 */
public sealed interface WorkerEvent {

    /**
     * When it happened.
     *
     * @return by this machine's clock
     */
    Instant at();

    /**
     * Which attempt at which task an event is about.
     *
     * @param workerId the worker that runs it, in {@code pgflow.workers}
     * @param flowSlug the flow
     * @param runId the run
     * @param stepSlug the step
     * @param taskIndex the index of the map's element, from 0; 0 in a single step
     * @param attempt 1 for the first, as the database counts them
     */
    record TaskAttempt(UUID workerId, String flowSlug, UUID runId, String stepSlug, int taskIndex, int attempt) {}

    /**
     * A worker is registered and polls.
     *
     * @param at when
     * @param workerId its row in {@code pgflow.workers}
     * @param workerName for people
     * @param flowSlug the flow that it serves
     */
    record WorkerStarted(Instant at, UUID workerId, String workerName, String flowSlug) implements WorkerEvent {}

    /**
     * A worker has stopped; the last of its events.
     *
     * @param at when
     * @param workerId its row in {@code pgflow.workers}
     * @param workerName for people
     * @param flowSlug the flow that it served
     * @param lived how long it was at work
     */
    record WorkerStopped(Instant at, UUID workerId, String workerName, String flowSlug, Duration lived)
            implements WorkerEvent {}

    /**
     * A worker looks for tasks.
     *
     * @param at when
     * @param workerId the worker
     * @param flowSlug its flow
     * @param activeTasks how many tasks it has in hand
     */
    record PollStarted(Instant at, UUID workerId, String flowSlug, int activeTasks) implements WorkerEvent {}

    /**
     * The database answered to a poll. One that gets no answer has no end: see {@link OutageBegan}.
     *
     * @param at when
     * @param workerId the worker
     * @param flowSlug its flow
     * @param activeTasks how many tasks it has in hand now
     * @param duration how long the answer took
     * @param messagesRead how many messages were taken from the queue, without those put aside as their tasks have ended
     * @param tasksStarted how many tasks were started of these
     */
    record PollEnded(
            Instant at,
            UUID workerId,
            String flowSlug,
            int activeTasks,
            Duration duration,
            int messagesRead,
            int tasksStarted)
            implements WorkerEvent {}

    /**
     * An attempt begins. It ends with one of {@link TaskCompleted}, {@link TaskFailed}, {@link TaskTimedOut} and {@link TaskLate}, unless the
     * worker stops before and hands the task back.
     *
     * @param at when
     * @param task the attempt
     * @param waited how long the task could have been claimed before it was: since it was queued, or its retry or start delay was over; by the
     *     database's clock. Zero where it was never in the queue, as it follows from a result of this worker. Empty on a schema that
     *     pgflow itself made, which does not tell
     */
    record TaskStarted(Instant at, TaskAttempt task, Optional<Duration> waited) implements WorkerEvent {}

    /**
     * A result was recorded.
     *
     * @param at when the database had answered
     * @param task the attempt
     * @param duration how long the attempt took, without the recording
     */
    record TaskCompleted(Instant at, TaskAttempt task, Duration duration) implements WorkerEvent {}

    /**
     * A failure was recorded: the handler threw, or its result cannot be stored.
     *
     * @param at when the database had answered
     * @param task the attempt
     * @param duration how long the attempt took, without the recording
     * @param errorClass the class of what the handler threw; empty if it threw nothing
     * @param error class and message, of causes too, a line each
     * @param retryAt when the next attempt is due, by the database's clock; empty if the task failed for good
     */
    record TaskFailed(
            Instant at,
            TaskAttempt task,
            Duration duration,
            Optional<String> errorClass,
            String error,
            Optional<Instant> retryAt)
            implements WorkerEvent {}

    /**
     * An attempt was ended at its deadline, and that was recorded. Its handler may run on for a while.
     *
     * @param at when the database had answered
     * @param task the attempt
     * @param duration how long the attempt took, without the recording
     * @param retryAt when the next attempt is due, by the database's clock; empty if the task failed for good
     */
    record TaskTimedOut(Instant at, TaskAttempt task, Duration duration, Optional<Instant> retryAt)
            implements WorkerEvent {}

    /**
     * The report of an attempt came too late and changed nothing: the task is somebody else's by now, or its run has ended.
     *
     * @param at when the database had answered
     * @param task the attempt
     * @param duration how long the attempt took, without the recording
     */
    record TaskLate(Instant at, TaskAttempt task, Duration duration) implements WorkerEvent {}

    /**
     * A handler runs on although it was interrupted a second ago, at its deadline or because the worker stops. Its slot is free when it ends.
     *
     * @param at when
     * @param task the attempt
     */
    record TaskUnresponsive(Instant at, TaskAttempt task) implements WorkerEvent {}

    /**
     * A run ended well. Only the worker whose report or recovery ended it says so, once; runs that end at their start, with nothing to do, are not told.
     *
     * @param at when the database had answered
     * @param flowSlug the flow
     * @param runId the run
     */
    record RunCompleted(Instant at, String flowSlug, UUID runId) implements WorkerEvent {}

    /**
     * A run failed. Only the worker whose report or recovery ended it says so, once.
     *
     * @param at when the database had answered
     * @param flowSlug the flow
     * @param runId the run
     * @param error of the task that failed it
     */
    record RunFailed(Instant at, String flowSlug, UUID runId, String error) implements WorkerEvent {}

    /**
     * Some statement of the workers in this process gets no answer. They go on trying.
     *
     * @param at when
     * @param what which, and what came instead
     */
    record OutageBegan(Instant at, String what) implements WorkerEvent {}

    /**
     * All statements are answered again.
     *
     * @param at when
     * @param what which was the first that was not
     * @param since when the outage began
     */
    record OutageEnded(Instant at, String what, Instant since) implements WorkerEvent {}

    /**
     * A task that nobody worked on any more was taken from its worker by one of this process.
     *
     * @param at when
     * @param flowSlug the flow
     * @param runId the run
     * @param stepSlug the step
     * @param taskIndex the index of the map's element, from 0; 0 in a single step
     * @param requeued whether it is queued again; if not it was given up, and failed for good
     * @param since when the attempt was started that nobody ends, by the database's clock
     */
    record TaskRecovered(
            Instant at, String flowSlug, UUID runId, String stepSlug, int taskIndex, boolean requeued, Instant since)
            implements WorkerEvent {}

    /**
     * New messages are not announced to this process any more: its workers poll more often.
     *
     * @param at when
     * @param what went wrong
     */
    record ListenerLost(Instant at, String what) implements WorkerEvent {}

    /**
     * New messages are announced to this process again.
     *
     * @param at when
     * @param since when they were not
     */
    record ListenerBack(Instant at, Instant since) implements WorkerEvent {}

    /**
     * The database answered to the reports of some attempts, made together.
     *
     * @param at when
     * @param outcomes how many, at most 400
     * @param duration how long the answer took
     */
    record OutcomesRecorded(Instant at, int outcomes, Duration duration) implements WorkerEvent {}
}
