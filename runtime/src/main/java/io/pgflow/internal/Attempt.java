package io.pgflow.internal;

import io.pgflow.Source;
import io.pgflow.TaskContext;
import io.pgflow.WorkerSnapshot.ActiveTask;
import java.lang.reflect.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One attempt at a task in this process. Whoever settles it first decides what is recorded: the handler's end, the deadline, or
 * the end of the worker. Any thread may call it.
 */
final class Attempt implements TaskContext {

    private final Task task;
    private final UUID workerId;
    private final Instant since;
    private final Function<Type, @Nullable Object> input;
    private final long began = System.nanoTime();
    private final AtomicBoolean settled = new AtomicBoolean();
    private volatile long lasted;
    private volatile @Nullable Thread thread;
    private volatile boolean cancelled;

    /** An attempt that begins now; {@code input} gives the run's input as a type. */
    Attempt(Task task, UUID workerId, Instant now, Function<Type, @Nullable Object> input) {
        this.task = task;
        this.workerId = workerId;
        this.since = now;
        this.input = input;
    }

    Task task() {
        return task;
    }

    /** True for the first caller, whose outcome counts. */
    boolean settle() {
        long now = System.nanoTime() - began;
        boolean first = settled.compareAndSet(false, true);
        if (first) {
            lasted = now;
        }
        return first;
    }

    /** How long it took from its claim until it was settled, by this machine's clock. */
    Duration duration() {
        return Duration.ofNanos(lasted);
    }

    /** Says on which thread the handler runs. */
    void runsOn(Thread handler) {
        thread = handler;
        if (cancelled) {
            handler.interrupt();
        }
    }

    /** Interrupts the handler. */
    void cancel() {
        cancelled = true;
        Thread handler = thread;
        if (handler != null) {
            handler.interrupt();
        }
    }

    /** Where its handler is, for people: the innermost line that is not of the JDK; null if there is none. */
    @Nullable
    StackTraceElement where() {
        Thread handler = thread;
        return handler == null
                ? null
                : Arrays.stream(handler.getStackTrace())
                        .filter(frame -> frame.getModuleName() == null
                                || !frame.getModuleName().startsWith("java."))
                        .findFirst()
                        .orElse(null);
    }

    @Override
    public boolean cancelled() {
        return cancelled;
    }

    @Override
    public UUID runId() {
        return task.runId();
    }

    @Override
    public String flowSlug() {
        return task.flowSlug();
    }

    @Override
    public String stepSlug() {
        return task.stepSlug();
    }

    @Override
    public int taskIndex() {
        return task.taskIndex();
    }

    @Override
    public int attempt() {
        return task.attempt();
    }

    @Override
    public Instant deadline() {
        return since.plus(task.timeout());
    }

    @Override
    @SuppressWarnings({"unchecked", "NullAway"}) // a run's null input is its readers' null
    public <I> I input(Source.Input<I> source) {
        return (I) input.apply(source.type());
    }

    @Override
    public UUID workerId() {
        return workerId;
    }

    ActiveTask snapshot() {
        return new ActiveTask(runId(), stepSlug(), taskIndex(), attempt(), since, deadline(), cancelled);
    }

    @Override
    public String toString() {
        return task.toString();
    }
}
