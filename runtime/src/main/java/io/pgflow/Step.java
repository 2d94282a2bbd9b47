package io.pgflow;

import java.lang.reflect.Type;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A step of a flow: one task of a run, or, as a map, one task for each element of a list. It is a {@link Source} of its
 * output for the steps defined after it.
 *
 * <p>The methods with a parameter set options and return this step. They may be called until the flow is built, by the
 * thread that builds it; from then on a step is immutable and may be used by any thread. Options left out are the flow's,
 * else the database's. Durations are whole seconds, as the database stores them.
 *
 * @param <O> the output of the step as a whole, for a map the list of its tasks' outputs
 */
public final class Step<O> implements Source<O> {

    private final FlowBuilder<?> owner;
    private final String slug;
    private final boolean map;
    private final Type type;
    private final List<Source<?>> sources;
    private final List<Step<?>> dependencies;
    private final Handler.OfAll<?> handler;

    private @Nullable Integer maxAttempts;
    private @Nullable Duration baseDelay;
    private @Nullable Duration timeout;
    private @Nullable Duration startDelay;
    private @Nullable Condition onlyIf;
    private @Nullable Condition unless;
    private Otherwise whenUnmet = Otherwise.SKIP;
    private Otherwise whenExhausted = Otherwise.FAIL;

    Step(
            FlowBuilder<?> owner,
            String slug,
            boolean map,
            Type type,
            List<? extends Source<?>> sources,
            Handler.OfAll<?> handler) {
        this.owner = owner;
        this.slug = slug;
        this.map = map;
        this.type = type;
        this.sources = List.copyOf(sources);
        this.dependencies = this.sources.stream()
                .<Step<?>>mapMulti((source, steps) -> stepOf(source).ifPresent(steps))
                .distinct()
                .toList();
        this.handler = handler;
    }

    private static Optional<Step<?>> stepOf(Source<?> source) {
        return switch (source) {
            case Step<?> step -> Optional.of(step);
            case Maybe<?> maybe -> Optional.of(maybe.step());
            case Input<?> input -> Optional.empty();
            case Context context -> Optional.empty();
        };
    }

    /**
     * The output of this step where it ran, for steps that also run when this one was skipped.
     *
     * @return a source that is empty if this step was skipped, or returned {@code null}
     */
    public Source<Optional<O>> optional() {
        return new Maybe<>(this);
    }

    /**
     * Sets how often a task may be tried.
     *
     * @param attempts 1 or more
     * @return this step
     * @throws PgflowException.InvalidFlow if out of range
     */
    public Step<O> maxAttempts(int attempts) {
        maxAttempts = rules().attempts(attempts);
        return this;
    }

    /**
     * Sets the base of the pauses between attempts: after the n-th attempt it is {@code delay * 2^n}.
     *
     * @param delay 1 s or more
     * @return this step
     * @throws PgflowException.InvalidFlow if out of range
     */
    public Step<O> baseDelay(Duration delay) {
        baseDelay = rules().baseDelay(delay);
        return this;
    }

    /**
     * Sets how long one attempt may take.
     *
     * @param limit 3 s or more
     * @return this step
     * @throws PgflowException.InvalidFlow if out of range
     */
    public Step<O> timeout(Duration limit) {
        timeout = rules().timeout(limit);
        return this;
    }

    /**
     * Sets how long the tasks wait once the step is ready.
     *
     * @param delay zero or more
     * @return this step
     * @throws PgflowException.InvalidFlow if out of range
     */
    public Step<O> startDelay(Duration delay) {
        startDelay = rules().seconds("start delay", delay, 0);
        return this;
    }

    /**
     * Runs this step only if what it depends on contains a pattern, by PostgreSQL's {@code jsonb @>}: of objects the named
     * members, of arrays the elements in any order, other values when equal. What is looked at is the run's input in a
     * root step, and in all others an object of the outputs of the dependencies that ran, by their slugs.
     *
     * @param pattern what Jackson writes by its defaults as a JSON object: a {@code Map}, or a record, whose {@code null}s are left out. Where a
     *     mapper of {@link WorkerOptions#json} renames members, a {@code Map} with the names as they are stored
     * @return this step
     * @throws PgflowException.InvalidFlow if it is something else, or can never be contained
     */
    public Step<O> onlyIf(Object pattern) {
        onlyIf = rules().condition(this, pattern);
        return this;
    }

    /**
     * Runs this step only if what it depends on does not contain a pattern, see {@link #onlyIf(Object)}.
     *
     * @param pattern what Jackson writes by its defaults as a JSON object: a {@code Map}, or a record, whose {@code null}s are left out. Where a
     *     mapper of {@link WorkerOptions#json} renames members, a {@code Map} with the names as they are stored
     * @return this step
     * @throws PgflowException.InvalidFlow if it is something else, or can never be contained
     */
    public Step<O> unless(Object pattern) {
        unless = rules().condition(this, pattern);
        return this;
    }

    /**
     * Sets what happens when {@link #onlyIf(Object)} or {@link #unless(Object)} is not met; else it is skipped.
     *
     * @param otherwise what happens
     * @return this step
     */
    public Step<O> whenUnmet(Otherwise otherwise) {
        rules();
        whenUnmet = otherwise;
        return this;
    }

    /**
     * Sets what happens when the last attempt has failed; else the step and the run fail.
     *
     * @param otherwise what happens
     * @return this step
     */
    public Step<O> whenExhausted(Otherwise otherwise) {
        rules();
        whenExhausted = otherwise;
        return this;
    }

    /** The rules for this step's options, as long as they may be set. */
    private Rules rules() {
        owner.requireOpen();
        return new Rules(owner.slug(), slug);
    }

    /**
     * The name, unique in the flow.
     *
     * @return {@code pgflow.steps.step_slug}
     */
    public String slug() {
        return slug;
    }

    /**
     * The flow this is a step of.
     *
     * @return the flow's slug
     */
    public String flowSlug() {
        return owner.slug();
    }

    /**
     * Whether this is a map step.
     *
     * @return true for one task an element, false for a single task
     */
    public boolean isMap() {
        return map;
    }

    /**
     * The steps whose outputs this one reads.
     *
     * @return each once, in the order in which the sources name them; none in a root step
     */
    public List<Step<?>> dependencies() {
        return dependencies;
    }

    /**
     * What the handler reads.
     *
     * @return the sources in the order of the handler's parameters; of a map, the first is the list it maps
     */
    public List<Source<?>> sources() {
        return sources;
    }

    /**
     * What the step as a whole outputs.
     *
     * @return a class, or the list of one for maps and for steps defined with {@code list}
     */
    public Type type() {
        return type;
    }

    /**
     * What the elements of the output are, for maps and for steps defined with {@code list}.
     *
     * @return the class; empty if the output is not a list
     */
    public Optional<Type> elementType() {
        return type instanceof ListType list ? Optional.of(list.element()) : Optional.empty();
    }

    /**
     * What one task outputs, and the handler returns.
     *
     * @return of a map {@link #elementType}, of a single step {@link #type}
     */
    public Type taskType() {
        return map ? elementType().orElseThrow() : type;
    }

    /**
     * How often a task may be tried.
     *
     * @return 1 or more; empty if the flow's option rules
     */
    public OptionalInt maxAttempts() {
        return maxAttempts == null ? OptionalInt.empty() : OptionalInt.of(maxAttempts);
    }

    /**
     * The base of the pauses between attempts.
     *
     * @return whole seconds; empty if the flow's option rules
     */
    public Optional<Duration> baseDelay() {
        return Optional.ofNullable(baseDelay);
    }

    /**
     * How long one attempt may take.
     *
     * @return whole seconds; empty if the flow's option rules
     */
    public Optional<Duration> timeout() {
        return Optional.ofNullable(timeout);
    }

    /**
     * How long the tasks wait once the step is ready.
     *
     * @return whole seconds; empty if they do not wait
     */
    public Optional<Duration> startDelay() {
        return Optional.ofNullable(startDelay);
    }

    /**
     * The pattern that must be contained.
     *
     * @return a JSON object; empty if there is none
     */
    public Optional<String> onlyIf() {
        return Optional.ofNullable(onlyIf).map(Condition::json);
    }

    /**
     * The pattern that must not be contained.
     *
     * @return a JSON object; empty if there is none
     */
    public Optional<String> unless() {
        return Optional.ofNullable(unless).map(Condition::json);
    }

    /**
     * What happens when the condition is not met.
     *
     * @return {@link Otherwise#SKIP} unless set
     */
    public Otherwise whenUnmet() {
        return whenUnmet;
    }

    /**
     * What happens when the last attempt has failed.
     *
     * @return {@link Otherwise#FAIL} unless set
     */
    public Otherwise whenExhausted() {
        return whenExhausted;
    }

    /** Whether a run may go on to the dependents of this step without its output. */
    boolean maySkip() {
        boolean conditional = onlyIf != null || unless != null;
        return (conditional && whenUnmet == Otherwise.SKIP) || whenExhausted == Otherwise.SKIP;
    }

    FlowBuilder<?> owner() {
        return owner;
    }

    /**
     * Calls the handler, on the calling thread.
     *
     * @param arguments a value for each of {@link #sources}, in that order: of the source's type, but an element where a
     *     map reads its list
     * @return what the handler returned
     * @throws Exception what the handler threw
     */
    public @Nullable Object invoke(List<? extends @Nullable Object> arguments) throws Exception {
        return handler.handle(new Inputs(this, arguments));
    }

    @Override
    public String toString() {
        return "step '" + slug + "' of flow '" + owner.slug() + "'";
    }
}
