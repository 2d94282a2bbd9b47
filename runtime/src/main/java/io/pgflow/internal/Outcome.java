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

    /** The attempt failed. */
    sealed interface Failure extends Outcome {

        /** What to store of it. */
        String error();

        /** Whether trying again is pointless. */
        default boolean permanent() {
            return false;
        }

        /** How long to wait before the next attempt, if there is one; null for the delay that the database gives. */
        default @Nullable Duration retryAfter() {
            return null;
        }
    }

    /**
     * The handler threw, or returned what cannot be stored.
     *
     * @param errorClass of what the handler threw; null if it threw nothing
     */
    record Failed(
            Attempt attempt,
            String error,
            @Nullable String errorClass,
            boolean permanent,
            @Nullable Duration retryAfter)
            implements Failure {

        /** A failure that nothing was thrown for, and after which the database decides. */
        Failed(Attempt attempt, String error) {
            this(attempt, error, null, false, null);
        }
    }

    /** The attempt's time was over. */
    record TimedOut(Attempt attempt) implements Failure {
        @Override
        public String error() {
            return "Task timed out after " + task().timeout().toSeconds() + "s";
        }
    }

    /** The worker stops; the task is handed back and its attempt not counted. */
    record Released(Attempt attempt) implements Outcome {}

    /** About how many bytes it takes to record this. */
    default int size() {
        return switch (this) {
            case Completed completed -> completed.output().length();
            case Failure failure -> failure.error().length();
            case Released released -> 0;
        };
    }
}
