package io.pgflow.internal;

import io.pgflow.WorkerState;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicReference;

/** The state of a worker, and since when it is in it. Any thread may move it. */
final class LifeCycle {

    /** A state and when it began. */
    record Phase(WorkerState state, Instant since) {}

    private final InstantSource clock;
    private final AtomicReference<Phase> phase;

    LifeCycle(InstantSource clock) {
        this.clock = clock;
        this.phase = new AtomicReference<>(new Phase(WorkerState.CREATED, clock.instant()));
    }

    /**
     * Moves on. The state that it is in already is no move.
     *
     * @return whether it moved
     * @throws IllegalStateException if the one state may not follow the other
     */
    boolean moveTo(WorkerState next) {
        while (true) {
            Phase now = phase.get();
            if (now.state() == next) {
                return false;
            }
            if (!now.state().mayBecome(next)) {
                throw new IllegalStateException("a worker that is %s cannot become %s".formatted(now.state(), next));
            }
            if (phase.compareAndSet(now, new Phase(next, clock.instant()))) {
                return true;
            }
        }
    }

    /** Begins to stop, from wherever that is possible; a worker that stops or has stopped already goes on so. */
    void stop() {
        while (true) {
            Phase now = phase.get();
            if (!now.state().mayBecome(WorkerState.STOPPING)
                    || phase.compareAndSet(now, new Phase(WorkerState.STOPPING, clock.instant()))) {
                return;
            }
        }
    }

    Phase phase() {
        return phase.get();
    }

    boolean is(WorkerState state) {
        return phase.get().state() == state;
    }
}
