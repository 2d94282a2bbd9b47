package io.pgflow;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/** Keeps the events that it is told, for tests to wait for. */
final class Recorder implements WorkerListener {

    private final List<WorkerEvent> events = new CopyOnWriteArrayList<>();

    @Override
    public void on(WorkerEvent event) {
        events.add(event);
    }

    /** All so far, in the order in which they came. */
    List<WorkerEvent> events() {
        return List.copyOf(events);
    }

    /** All of a kind so far. */
    <E extends WorkerEvent> List<E> all(Class<E> kind) {
        return events.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    /** The first of a kind, which is waited for. */
    <E extends WorkerEvent> E await(Class<E> kind) {
        return await(kind, event -> true);
    }

    /** The first of a kind that fits, which is waited for. */
    <E extends WorkerEvent> E await(Class<E> kind, Predicate<E> fits) {
        long giveUpAt = System.nanoTime() + TestFlows.LIMIT.toNanos();
        while (true) {
            var found = all(kind).stream().filter(fits).findFirst();
            if (found.isPresent()) {
                return found.get();
            }
            if (System.nanoTime() > giveUpAt) {
                throw new AssertionError("no such " + kind.getSimpleName() + " in " + events);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }
}
