package io.pgflow.internal;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What became of an attempt at a task, to be recorded in the database. */
sealed interface Outcome {

    /** The attempt. */
    Attempt attempt();

    /** Its task. */
    default Task task() {
        return attempt().task();
    }

    /** The handler returned; its result as JSON. */
    record Completed(Attempt attempt, String output) implements Outcome {}

    /**
     * The handler threw, ran out of time, or returned what cannot be stored.
     *
     * @param error what to store of it
     * @param permanent whether trying again is pointless
     * @param retryAfter how long to wait before the next attempt, if there is one; null for the delay that the database gives
     */
    record Failed(
            Attempt attempt,
            String error,
            boolean permanent,
            @Nullable Duration retryAfter) implements Outcome {

        /** A failure after which the database decides. */
        Failed(Attempt attempt, String error) {
            this(attempt, error, false, null);
        }
    }

    /** The worker stops; the task is handed back and its attempt not counted. */
    record Released(Attempt attempt) implements Outcome {}

    /** About how many bytes it takes to record this. */
    default int size() {
        return switch (this) {
            case Completed completed -> completed.output().length();
            case Failed failed -> failed.error().length();
            case Released released -> 0;
        };
    }
}
