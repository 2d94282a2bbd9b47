package io.pgflow;

import org.jspecify.annotations.Nullable;

/**
 * What a step does: plain, blocking Java that reads one value and returns the step's output. The nested interfaces read
 * more than one.
 *
 * <p>A handler runs on a virtual thread of its own, several at once, so it must not share unguarded state between calls.
 * It may run again for the same task (delivery is at least once), and is interrupted at its deadline. Whatever it throws
 * fails the attempt; {@link PermanentFailure} says that there shall be no other, {@link RetryLater} when. What it returns is stored as JSON, exactly; {@code null} is stored as JSON {@code null} and is then
 * what the steps that read it get.
 *
 * @param <A> what it reads
 * @param <O> what it returns
 */
@FunctionalInterface
public interface Handler<A, O> {

    /**
     * Does the work of one task.
     *
     * @param input the value of the step's source; for a map, one element of it
     * @return the output, of a type that Jackson writes as JSON
     * @throws Exception if this attempt failed; the database decides whether there is another
     */
    @Nullable
    O handle(A input) throws Exception;

    /**
     * A handler that reads two sources.
     *
     * @param <A> the first
     * @param <B> the second
     * @param <O> what it returns
     */
    @FunctionalInterface
    interface Of2<A, B, O> {

        /** Does the work of one task, see {@link Handler#handle}. */
        @Nullable
        O handle(A first, B second) throws Exception;
    }

    /**
     * A handler that reads three sources.
     *
     * @param <A> the first
     * @param <B> the second
     * @param <C> the third
     * @param <O> what it returns
     */
    @FunctionalInterface
    interface Of3<A, B, C, O> {

        /** Does the work of one task, see {@link Handler#handle}. */
        @Nullable
        O handle(A first, B second, C third) throws Exception;
    }

    /**
     * A handler that reads four sources.
     *
     * @param <A> the first
     * @param <B> the second
     * @param <C> the third
     * @param <D> the fourth
     * @param <O> what it returns
     */
    @FunctionalInterface
    interface Of4<A, B, C, D, O> {

        /** Does the work of one task, see {@link Handler#handle}. */
        @Nullable
        O handle(A first, B second, C third, D fourth) throws Exception;
    }

    /**
     * A handler that reads any number of sources, each asked for by its source.
     *
     * @param <O> what it returns
     */
    @FunctionalInterface
    interface OfAll<O> {

        /** Does the work of one task, see {@link Handler#handle}. */
        @Nullable
        O handle(Inputs inputs) throws Exception;
    }
}
