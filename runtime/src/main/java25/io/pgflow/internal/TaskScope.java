package io.pgflow.internal;

import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.Joiner;
import java.util.concurrent.StructuredTaskScope.Subtask;
import org.jspecify.annotations.Nullable;

/**
 * A structured scope of tasks, each on a virtual thread of its own: the one class that names {@link StructuredTaskScope}, here in
 * its shape of Java 25. All methods are for the thread that opened the scope. What a task throws is dropped: it must say so itself.
 */
final class TaskScope implements AutoCloseable {

    /** Cancels the scope when a task ends after {@link #cancelled} was set: this shape has no other way. */
    private static final class UntilCancelled implements Joiner<@Nullable Object, @Nullable Void> {
        volatile boolean cancelled;

        @Override
        public boolean onComplete(Subtask<?> task) {
            return cancelled;
        }

        @Override
        public @Nullable Void result() {
            return null;
        }
    }

    private final UntilCancelled joiner;
    private final StructuredTaskScope<@Nullable Object, @Nullable Void> scope;

    private TaskScope(UntilCancelled joiner, StructuredTaskScope<@Nullable Object, @Nullable Void> scope) {
        this.joiner = joiner;
        this.scope = scope;
    }

    /** Opens a scope whose threads are named after it. */
    static TaskScope open(String name) {
        var joiner = new UntilCancelled();
        var threads = Thread.ofVirtual().name(name + "-", 0).factory();
        return new TaskScope(
                joiner,
                StructuredTaskScope.open(
                        joiner, options -> options.withName(name).withThreadFactory(threads)));
    }

    /** Starts a task. */
    void fork(Runnable task) {
        scope.fork(task);
    }

    /** Interrupts all tasks; none can be forked any more. */
    void cancel() {
        joiner.cancelled = true;
        scope.fork(() -> {}); // its end is what cancels
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
