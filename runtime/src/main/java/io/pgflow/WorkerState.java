package io.pgflow;

import java.util.Locale;

/** Where a worker is in its life: {@code created → starting → running → (deprecated) → stopping → stopped}; a start may be stopped too. */
public enum WorkerState {
    /** Nothing was done yet. */
    CREATED,
    /** It checks the database and registers there. */
    STARTING,
    /** It is registered, and takes tasks: in this state only. */
    RUNNING,
    /** An operator has deprecated it: it takes no more tasks. */
    DEPRECATED,
    /** It takes no more tasks, and finishes those that it has, or hands them back. */
    STOPPING,
    /** It has none any more. */
    STOPPED;

    /**
     * Whether one state may follow another.
     *
     * @param next the other; the same one may always follow
     * @return whether it may
     */
    public boolean mayBecome(WorkerState next) {
        return this == next
                || switch (this) {
                    case CREATED -> next == STARTING;
                    case STARTING -> next == RUNNING || next == STOPPING;
                    case RUNNING -> next == DEPRECATED || next == STOPPING;
                    case DEPRECATED -> next == STOPPING;
                    case STOPPING -> next == STOPPED;
                    case STOPPED -> false;
                };
    }

    /** As logs have it: in lower case. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
