package io.pgflow;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * How a worker stands at a moment. Times are by this machine's clock.
 *
 * @param id {@code pgflow.workers.worker_id}
 * @param name as in logs and thread names
 * @param flowSlug the flow that it serves, and its queue
 * @param state where it is in its life
 * @param since when it came there
 * @param activeTasks the tasks in hand, the longest first
 * @param freeSlots how many more it would take; a poll takes those that it asks tasks for until it has its answer
 * @param waiting what it waits for; empty while it claims
 * @param lastHeartbeat when the database last heard that it lives; empty before the first time
 * @param listening whether new tasks are announced to it at the moment; otherwise it polls
 */
public record WorkerSnapshot(
        UUID id,
        String name,
        String flowSlug,
        WorkerState state,
        Instant since,
        List<ActiveTask> activeTasks,
        int freeSlots,
        Optional<Waiting> waiting,
        Optional<Instant> lastHeartbeat,
        boolean listening) {

    /** Copies the list. */
    public WorkerSnapshot {
        activeTasks = List.copyOf(activeTasks);
    }

    /**
     * An attempt at a task that is under way.
     *
     * @param runId {@code pgflow.runs.run_id}
     * @param stepSlug its step
     * @param taskIndex which element of a map's list; 0 in a single step
     * @param attempt counts from 1
     * @param since when it was claimed
     * @param deadline when it is failed and its handler interrupted
     * @param interrupted whether its handler was interrupted and has not ended yet; its slot stays taken until it does
     */
    public record ActiveTask(
            UUID runId,
            String stepSlug,
            int taskIndex,
            int attempt,
            Instant since,
            Instant deadline,
            boolean interrupted) {}

    /**
     * A wait.
     *
     * @param reason what for
     * @param until when it ends at the latest; empty if nothing but the reason ends it
     */
    public record Waiting(Reason reason, Optional<Instant> until) {}

    /** What a worker may wait for. Each wait ends earlier where something calls for it: an announcement, or a follow-up of what was recorded. */
    public enum Reason {
        /** All slots are taken. */
        FREE_SLOT,
        /** New tasks are announced; until then it polls now and then only. */
        ANNOUNCEMENT,
        /** The next poll, as nothing is announced. */
        NEXT_POLL,
        /** A task that becomes visible then: a retry, a start delay, or one that somebody else has in hand. */
        HIDDEN_TASK,
        /** The database, which did not answer or refused. */
        DATABASE,
        /** The end of the tasks in hand, as it stops. */
        LAST_TASKS
    }
}
