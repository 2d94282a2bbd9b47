package io.pgflow.internal;

/** What became of a claimed task, to be recorded in the database. */
sealed interface Outcome {

    /** The task. */
    Task task();

    /** The handler returned; its result as JSON. */
    record Completed(Task task, String output) implements Outcome {}

    /** The handler threw, ran out of time, or returned what cannot be stored; what to store as the error. */
    record Failed(Task task, String error) implements Outcome {}

    /** The worker stops; the task is handed back and its attempt not counted. */
    record Released(Task task) implements Outcome {}

    /** About how many bytes it takes to record this. */
    default int size() {
        return switch (this) {
            case Completed completed -> completed.output().length();
            case Failed failed -> failed.error().length();
            case Released released -> 0;
        };
    }
}
