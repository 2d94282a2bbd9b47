package io.pgflow;

import java.lang.reflect.Type;
import java.util.Optional;

/**
 * Something that a handler reads: the output of an earlier {@link Step}, that output if there is one
 * ({@link Step#optional}), the run's input ({@link FlowBuilder#input}) or the task's own circumstances
 * ({@link FlowBuilder#context}).
 *
 * @param <T> what the handler gets; for the list that a map reads, it gets one element
 */
public sealed interface Source<T> permits Step, Source.Input, Source.Maybe, Source.Context {

    /**
     * The input that the run was started with.
     *
     * @param <T> its type
     */
    final class Input<T> implements Source<T> {

        private final FlowBuilder<?> owner;
        private final Type type;

        Input(FlowBuilder<?> owner, Type type) {
            this.owner = owner;
            this.type = type;
        }

        FlowBuilder<?> owner() {
            return owner;
        }

        /**
         * What the input is bound to.
         *
         * @return the class given to {@link Flow#of}, or the list of the class given to {@link Flow#ofList}
         */
        public Type type() {
            return type;
        }

        @Override
        public String toString() {
            return "the input of flow '" + owner.slug() + "'";
        }
    }

    /**
     * The output of an earlier step that may have been skipped.
     *
     * @param step the earlier step
     * @param <O> its output; empty if it was skipped, or returned {@code null}
     */
    record Maybe<O>(Step<O> step) implements Source<Optional<O>> {

        @Override
        public String toString() {
            return step + ", where it ran";
        }
    }

    /** Which task this is, which attempt, and for how long it may run. */
    record Context() implements Source<TaskContext> {

        @Override
        public String toString() {
            return "the task's context";
        }
    }
}
