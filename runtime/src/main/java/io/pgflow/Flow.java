package io.pgflow;

import java.lang.reflect.Type;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The definition of a workflow: named steps, what each reads, and what it does. A definition is immutable and may be used
 * by any thread; running it is the matter of the workers that serve it.
 *
 * <p>Steps name what they read by the value of earlier steps, so a misspelt dependency, a cycle or a wrong type does not
 * compile. All values go through JSON; records are the natural types for them. Options left out are the database's own: 3
 * attempts, 5 s base delay, 60 s timeout.
 *
 * @param <I> the input of a run
 */
public final class Flow<I> {

    private final String slug;
    private final Source.Input<I> input;
    private final List<Step<?>> steps;
    private final @Nullable Integer maxAttempts;
    private final @Nullable Duration baseDelay;
    private final @Nullable Duration timeout;

    Flow(
            String slug,
            Source.Input<I> input,
            List<Step<?>> steps,
            @Nullable Integer maxAttempts,
            @Nullable Duration baseDelay,
            @Nullable Duration timeout) {
        this.slug = slug;
        this.input = input;
        this.steps = steps;
        this.maxAttempts = maxAttempts;
        this.baseDelay = baseDelay;
        this.timeout = timeout;
    }

    /**
     * Begins the definition of a flow.
     *
     * @param slug its name in the database: letters, digits and underscores, at most 47
     * @param input what a run is started with
     * @param <I> the same
     * @return a builder, to be used by one thread
     * @throws PgflowException.InvalidFlow if the slug cannot be used
     */
    public static <I> FlowBuilder<I> of(String slug, Class<I> input) {
        return new FlowBuilder<>(slug, ListType.boxed(input));
    }

    /**
     * Begins the definition of a flow whose runs are started with a list, each element of which a root map can take.
     *
     * @param slug its name in the database: letters, digits and underscores, at most 47
     * @param element what an element of the list is
     * @param <E> the same
     * @return a builder, to be used by one thread
     * @throws PgflowException.InvalidFlow if the slug cannot be used
     */
    public static <E> FlowBuilder<List<E>> ofList(String slug, Class<E> element) {
        return new FlowBuilder<>(slug, ListType.of(element));
    }

    /**
     * The name in the database.
     *
     * @return {@code pgflow.flows.flow_slug}, which is also the queue's name
     */
    public String slug() {
        return slug;
    }

    /**
     * What a run is started with.
     *
     * @return a class, or the list of one
     */
    public Type inputType() {
        return input.type();
    }

    /**
     * The steps.
     *
     * @return in the order of definition, each behind those that it reads
     */
    public List<Step<?>> steps() {
        return steps;
    }

    /**
     * A step by its name.
     *
     * @param stepSlug a slug
     * @return the step; empty if this flow has none of that name
     */
    public Optional<Step<?>> step(String stepSlug) {
        return steps.stream().filter(step -> step.slug().equals(stepSlug)).findFirst();
    }

    /**
     * How often a task may be tried, unless its step says otherwise.
     *
     * @return 1 or more; empty if the database's default rules
     */
    public OptionalInt maxAttempts() {
        return maxAttempts == null ? OptionalInt.empty() : OptionalInt.of(maxAttempts);
    }

    /**
     * The base of the pauses between attempts, unless the step says otherwise.
     *
     * @return whole seconds; empty if the database's default rules
     */
    public Optional<Duration> baseDelay() {
        return Optional.ofNullable(baseDelay);
    }

    /**
     * How long one attempt may take, unless its step says otherwise.
     *
     * @return whole seconds; empty if the database's default rules
     */
    public Optional<Duration> timeout() {
        return Optional.ofNullable(timeout);
    }

    /**
     * The shape of this flow as {@code pgflow.ensure_flow_compiled} takes it and {@code pgflow._compare_flow_shapes}
     * compares it.
     *
     * @return a JSON object; of the options, those that are set
     */
    public String shape() {
        return FlowShape.of(this);
    }

    /**
     * This flow as SQL, for those who deploy by migrations of their own, to be run in one transaction where it is not there yet. Where a flow of this
     * slug is, its steps and options stay and unknown steps are added to them: it is no way to change one.
     *
     * @return a statement a line: {@code pgflow.create_flow}, then {@code pgflow.add_step} for each step
     */
    public String toSql() {
        return FlowSql.of(this);
    }

    @Override
    public String toString() {
        return "flow '" + slug + "'";
    }
}
