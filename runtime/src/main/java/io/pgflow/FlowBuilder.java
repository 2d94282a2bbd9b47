package io.pgflow;

import java.lang.reflect.Type;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Collects the steps of a flow. Used by one thread, until {@link #build}. Each step may read what this builder gives:
 * its {@link #input}, its {@link #context} and the steps it returned before.
 *
 * @param <I> the input of a run
 */
public final class FlowBuilder<I> {

    private final String slug;
    private final Source.Input<I> input;
    private final Map<String, Step<?>> steps = new LinkedHashMap<>();
    private @Nullable Integer maxAttempts;
    private @Nullable Duration baseDelay;
    private @Nullable Duration timeout;
    private boolean built;

    FlowBuilder(String slug, Type inputType) {
        new Rules(slug, null).slug();
        this.slug = slug;
        this.input = new Source.Input<>(this, inputType);
    }

    String slug() {
        return slug;
    }

    /**
     * The input of the run, as a source for any step.
     *
     * @return the source
     */
    public Source.Input<I> input() {
        return input;
    }

    /**
     * The circumstances of the task, as a source for any step.
     *
     * @return the source
     */
    public Source<TaskContext> context() {
        return new Source.Context();
    }

    /**
     * Sets how often a task may be tried, unless its step says otherwise.
     *
     * @param attempts 1 or more
     * @return this builder
     * @throws PgflowException.InvalidFlow if out of range
     */
    public FlowBuilder<I> maxAttempts(int attempts) {
        maxAttempts = rules().attempts(attempts);
        return this;
    }

    /**
     * Sets the base of the pauses between attempts, unless the step says otherwise: after the n-th attempt it is
     * {@code delay * 2^n}, no longer than a day, or the delay itself where that is longer.
     *
     * @param delay 1 s or more, in whole seconds
     * @return this builder
     * @throws PgflowException.InvalidFlow if out of range
     */
    public FlowBuilder<I> baseDelay(Duration delay) {
        baseDelay = rules().baseDelay(delay);
        return this;
    }

    /**
     * Sets how long one attempt may take, unless its step says otherwise.
     *
     * @param limit 3 s or more, in whole seconds
     * @return this builder
     * @throws PgflowException.InvalidFlow if out of range
     */
    public FlowBuilder<I> timeout(Duration limit) {
        timeout = rules().timeout(limit);
        return this;
    }

    private Rules rules() {
        requireOpen();
        return new Rules(slug, null);
    }

    void requireOpen() {
        if (built) {
            throw new IllegalStateException(
                    "flow '" + slug + "' is built and cannot be changed: set steps and options before build()");
        }
    }

    /**
     * Adds a root step that reads the run's input.
     *
     * @param stepSlug its name in the database, unique in this flow: letters, digits and underscores, at most 128
     * @param type what the handler returns
     * @param handler what it does
     * @param <O> the output
     * @return the step, as a source for later ones, and to set its options
     * @throws PgflowException.InvalidFlow if the slug cannot be used
     */
    public <O> Step<O> step(String stepSlug, Class<O> type, Handler<I, O> handler) {
        return step(stepSlug, type, input, handler);
    }

    /** Adds a step that reads one source, see {@link #step(String, Class, Handler)}. */
    public <A, O> Step<O> step(String stepSlug, Class<O> type, Source<A> source, Handler<A, O> handler) {
        return step(stepSlug, type, List.of(source), in -> handler.handle(in.get(source)));
    }

    /** Adds a step that reads two sources, see {@link #step(String, Class, Handler)}. */
    public <A, B, O> Step<O> step(
            String stepSlug, Class<O> type, Source<A> first, Source<B> second, Handler.Of2<A, B, O> handler) {
        return step(stepSlug, type, List.of(first, second), in -> handler.handle(in.get(first), in.get(second)));
    }

    /** Adds a step that reads three sources, see {@link #step(String, Class, Handler)}. */
    public <A, B, C, O> Step<O> step(
            String stepSlug,
            Class<O> type,
            Source<A> first,
            Source<B> second,
            Source<C> third,
            Handler.Of3<A, B, C, O> handler) {
        return step(
                stepSlug,
                type,
                List.of(first, second, third),
                in -> handler.handle(in.get(first), in.get(second), in.get(third)));
    }

    /** Adds a step that reads four sources, see {@link #step(String, Class, Handler)}. */
    public <A, B, C, D, O> Step<O> step(
            String stepSlug,
            Class<O> type,
            Source<A> first,
            Source<B> second,
            Source<C> third,
            Source<D> fourth,
            Handler.Of4<A, B, C, D, O> handler) {
        return step(
                stepSlug,
                type,
                List.of(first, second, third, fourth),
                in -> handler.handle(in.get(first), in.get(second), in.get(third), in.get(fourth)));
    }

    /** Adds a step that reads any number of sources, even none, see {@link #step(String, Class, Handler)}. */
    public <O> Step<O> step(
            String stepSlug, Class<O> type, List<? extends Source<?>> sources, Handler.OfAll<O> handler) {
        return add(stepSlug, false, ListType.boxed(type), sources, handler);
    }

    /**
     * Adds a root step that reads the run's input and returns a list, which maps can take element by element.
     *
     * @param stepSlug its name in the database, unique in this flow: letters, digits and underscores, at most 128
     * @param element what the elements of the handler's list are
     * @param handler what it does
     * @param <E> an element of the output
     * @return the step, as a source for later ones, and to set its options
     * @throws PgflowException.InvalidFlow if the slug cannot be used
     */
    public <E> Step<List<E>> list(String stepSlug, Class<E> element, Handler<I, List<E>> handler) {
        return list(stepSlug, element, input, handler);
    }

    /** Adds a step that reads one source and returns a list, see {@link #list(String, Class, Handler)}. */
    public <A, E> Step<List<E>> list(String stepSlug, Class<E> element, Source<A> source, Handler<A, List<E>> handler) {
        return list(stepSlug, element, List.of(source), in -> handler.handle(in.get(source)));
    }

    /** Adds a step that reads two sources and returns a list, see {@link #list(String, Class, Handler)}. */
    public <A, B, E> Step<List<E>> list(
            String stepSlug, Class<E> element, Source<A> first, Source<B> second, Handler.Of2<A, B, List<E>> handler) {
        return list(stepSlug, element, List.of(first, second), in -> handler.handle(in.get(first), in.get(second)));
    }

    /** Adds a step that reads three sources and returns a list, see {@link #list(String, Class, Handler)}. */
    public <A, B, C, E> Step<List<E>> list(
            String stepSlug,
            Class<E> element,
            Source<A> first,
            Source<B> second,
            Source<C> third,
            Handler.Of3<A, B, C, List<E>> handler) {
        return list(
                stepSlug,
                element,
                List.of(first, second, third),
                in -> handler.handle(in.get(first), in.get(second), in.get(third)));
    }

    /** Adds a step that reads four sources and returns a list, see {@link #list(String, Class, Handler)}. */
    public <A, B, C, D, E> Step<List<E>> list(
            String stepSlug,
            Class<E> element,
            Source<A> first,
            Source<B> second,
            Source<C> third,
            Source<D> fourth,
            Handler.Of4<A, B, C, D, List<E>> handler) {
        return list(
                stepSlug,
                element,
                List.of(first, second, third, fourth),
                in -> handler.handle(in.get(first), in.get(second), in.get(third), in.get(fourth)));
    }

    /** Adds a step that reads any number of sources and returns a list, see {@link #list(String, Class, Handler)}. */
    public <E> Step<List<E>> list(
            String stepSlug, Class<E> element, List<? extends Source<?>> sources, Handler.OfAll<List<E>> handler) {
        return add(stepSlug, false, ListType.of(element), sources, handler);
    }

    /**
     * Adds a map: one task for each element of a list, each with its own attempts, run at once as slots allow. Its
     * output is the list of their outputs, in the order of the elements; of an empty list, or a skipped step's, it is
     * empty.
     *
     * @param stepSlug its name in the database, unique in this flow: letters, digits and underscores, at most 128
     * @param type what the handler returns for one element
     * @param source the list: an earlier step that is a map or was defined with {@code list}, or the run's input
     * @param handler what it does with one element
     * @param <E> an element of the source
     * @param <O> an element of the output
     * @return the step, as a source for later ones, and to set its options
     * @throws PgflowException.InvalidFlow if the slug cannot be used
     */
    public <E, O> Step<List<O>> map(String stepSlug, Class<O> type, Source<List<E>> source, Handler<E, O> handler) {
        return addMap(stepSlug, type, source, List.of(source), in -> handler.handle(in.value(source)));
    }

    /** Adds a map whose handler also reads the {@link #context}, see {@link #map(String, Class, Source, Handler)}. */
    public <E, O> Step<List<O>> map(
            String stepSlug,
            Class<O> type,
            Source<List<E>> source,
            Source<TaskContext> context,
            Handler.Of2<E, TaskContext, O> handler) {
        return addMap(
                stepSlug,
                type,
                source,
                List.of(source, context),
                in -> handler.handle(in.value(source), in.get(context)));
    }

    private <O> Step<List<O>> addMap(
            String stepSlug,
            Class<O> type,
            Source<?> list,
            List<? extends Source<?>> sources,
            Handler.OfAll<O> handler) {
        new Rules(slug, stepSlug).list(list);
        return add(stepSlug, true, ListType.of(type), sources, handler);
    }

    private <O> Step<O> add(
            String stepSlug, boolean map, Type type, List<? extends Source<?>> sources, Handler.OfAll<?> handler) {
        requireOpen();
        var rules = new Rules(slug, stepSlug);
        rules.slug();
        rules.sourcesOf(this, sources);
        var step = new Step<O>(this, stepSlug, map, type, sources, handler);
        if (steps.putIfAbsent(stepSlug, step) != null) {
            throw rules.breach("the flow has another step of this slug");
        }
        return step;
    }

    /**
     * Ends the definition; steps and options can no longer be changed.
     *
     * @return the flow
     * @throws PgflowException.InvalidFlow if it has no steps, or a step reads another that may be skipped as if it
     *     were always there
     */
    public Flow<I> build() {
        Rules rules = rules();
        if (steps.isEmpty()) {
            throw rules.breach("a flow has at least one step");
        }
        steps.values().forEach(step -> new Rules(slug, step.slug()).absences(step));
        built = true;
        return new Flow<>(slug, input, List.copyOf(steps.values()), maxAttempts, baseDelay, timeout);
    }
}
