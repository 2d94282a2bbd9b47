package io.pgflow.internal;

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

    /** The handler threw, ran out of time, or returned what cannot be stored; what to store as the error. */
    record Failed(Attempt attempt, String error) implements Outcome {}

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
