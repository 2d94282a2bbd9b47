package io.pgflow.internal;

import java.util.concurrent.Executors;
import java.util.concurrent.StructuredTaskScope;

/**
 * A structured scope of tasks, each on a virtual thread of its own: the one class that names {@link StructuredTaskScope}, here in
 * its shape of Java 21. All methods are for the thread that opened the scope. What a task throws is dropped: it must say so itself.
 */
final class TaskScope implements AutoCloseable {

    private final StructuredTaskScope<Object> scope;

    private TaskScope(StructuredTaskScope<Object> scope) {
        this.scope = scope;
    }

    /** Opens a scope whose threads are named after it. */
    static TaskScope open(String name) {
        return new TaskScope(new StructuredTaskScope<>(
                name, Thread.ofVirtual().name(name + "-", 0).factory()));
    }

    /** Starts a task. */
    void fork(Runnable task) {
        scope.fork(Executors.callable(task));
    }

    /** Interrupts all tasks; none can be forked any more. */
    void cancel() {
        scope.shutdown();
    }

    /** Waits for all tasks to end, or to be cancelled. */
    void join() throws InterruptedException {
        scope.join();
    }

    /** Waits for the threads of all tasks, cancelled ones too. Comes after {@link #join}. */
    @Override
    public void close() {
        scope.close();
    }
}
