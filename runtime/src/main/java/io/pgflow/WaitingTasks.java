package io.pgflow;

import io.pgflow.internal.Engine.Backlog;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What waits in a queue, for meters: whoever reads them never waits for the database. A reading that finds what is known too old has it asked for, on
 * another thread, for the next one.
 */
final class WaitingTasks {

    private static final long FRESH = Duration.ofSeconds(5).toNanos();

    private final Supplier<Optional<Backlog>> question;
    private final AtomicBoolean asking = new AtomicBoolean();
    private final LongSupplier nanoTime;
    private volatile long askedAt;
    private volatile @Nullable Backlog known;

    /** Nothing is known yet; {@code question} asks the database, and gives nothing if there is no use in it. */
    WaitingTasks(Supplier<Optional<Backlog>> question) {
        this(question, System::nanoTime);
    }

    /** By another clock, of nanoseconds. */
    WaitingTasks(Supplier<Optional<Backlog>> question, LongSupplier nanoTime) {
        this.question = question;
        this.nanoTime = nanoTime;
        this.askedAt = nanoTime.getAsLong() - FRESH;
    }

    /** How many; NaN if unknown. */
    double count() {
        var now = read();
        return now == null ? Double.NaN : now.tasks();
    }

    /** For how long the first has waited; NaN if unknown. */
    double seconds() {
        var now = read();
        return now == null ? Double.NaN : now.age().toMillis() / 1e3;
    }

    private @Nullable Backlog read() {
        if (nanoTime.getAsLong() - askedAt >= FRESH && asking.compareAndSet(false, true)) {
            Thread.ofVirtual().name("pgflow-backlog").start(this::ask);
        }
        return known;
    }

    private void ask() {
        try {
            known = question.get().orElse(null);
        } catch (RuntimeException e) {
            known = null; // the workers log what is wrong with the database
        } finally {
            askedAt = nanoTime.getAsLong();
            asking.set(false);
        }
    }
}
