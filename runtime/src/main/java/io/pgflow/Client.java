package io.pgflow;

import io.pgflow.internal.ClientQueries;
import io.pgflow.internal.Json;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Starts runs and reads them. Any thread may use it; each call takes a connection of the pool for as long as it lasts. It belongs to
 * the {@link RunningWorkers} that gave it, and ends with them.
 */
public final class Client {

    private static final Duration SHORTEST_LOOK = Duration.ofMillis(5);
    private static final Duration LONGEST_LOOK = Duration.ofMillis(200);

    private final ClientQueries queries;
    private final Json json;

    Client(ClientQueries queries, Json json) {
        this.queries = queries;
        this.json = json;
    }

    /**
     * Starts a run, by {@code pgflow.start_flows}.
     *
     * @param flow a flow that is compiled in this database
     * @param input what its root steps read
     * @param <I> the same
     * @return the new run
     * @throws IllegalArgumentException if the input cannot be stored as JSON
     */
    public <I> UUID start(Flow<I> flow, I input) {
        return startAll(flow, List.of(input)).getFirst();
    }

    /**
     * Starts a run with an id of the caller's choice. Doing it again gives the same run, with the input it was started with first.
     *
     * @param flow a flow that is compiled in this database
     * @param input what its root steps read
     * @param id the run's id
     * @param <I> the input
     * @return the id
     * @throws IllegalArgumentException if the input cannot be stored as JSON
     */
    public <I> UUID start(Flow<I> flow, I input, UUID id) {
        return queries.start(flow.slug(), List.of(json.write(input, flow.inputType())), List.of(id))
                .getFirst();
    }

    /**
     * Starts many runs in one transaction.
     *
     * @param flow a flow that is compiled in this database
     * @param inputs one for each run; a thousand or so at a time are fastest
     * @param <I> the input
     * @return the runs, in the order of the inputs
     * @throws IllegalArgumentException if an input cannot be stored as JSON; nothing is started then
     */
    public <I> List<UUID> startAll(Flow<I> flow, List<? extends I> inputs) {
        List<String> texts = inputs.stream()
                .map(input -> json.write(input, flow.inputType()))
                .toList();
        return queries.start(flow.slug(), texts, Collections.nCopies(inputs.size(), null));
    }

    /**
     * Finds a run that can be waited for instead of starting another one.
     *
     * @param flow the flow
     * @param input what the run was started with, compared as JSON
     * @param <I> the input
     * @return the latest run with that input that has not ended
     */
    public <I> Optional<UUID> unfinished(Flow<I> flow, I input) {
        return queries.unfinished(flow.slug(), json.write(input, flow.inputType()));
    }

    /**
     * Waits for the end of a run.
     *
     * @param run the run
     * @param limit how long to wait at most
     * @return the run
     * @throws PgflowException.RunFailed if it failed
     * @throws PgflowException.RunUnfinished if the time is over; the run goes on
     * @throws PgflowException.RunNotFound if there is no such run
     * @throws InterruptedException if the thread was interrupted
     */
    public RunState.Completed await(UUID run, Duration limit) throws InterruptedException {
        long giveUpAt = System.nanoTime() + limit.toNanos();
        Duration pause = SHORTEST_LOOK;
        while (queries.status(run)
                .orElseThrow(() -> new PgflowException.RunNotFound(run))
                .equals("started")) {
            Duration left = Duration.ofNanos(giveUpAt - System.nanoTime());
            if (!left.isPositive()) {
                throw new PgflowException.RunUnfinished(run, limit);
            }
            Thread.sleep(left.compareTo(pause) < 0 ? left : pause);
            pause = pause.multipliedBy(2).compareTo(LONGEST_LOOK) < 0 ? pause.multipliedBy(2) : LONGEST_LOOK;
        }
        return switch (read(run)) {
            case RunState.Completed completed -> completed;
            case RunState.Failed failed ->
                throw new PgflowException.RunFailed(
                        run, failed.flowSlug(), failed.failedStep().orElse(null), failed.error());
            case RunState.Started started ->
                throw new IllegalStateException("run " + run + " had ended, and is started again");
        };
    }

    /**
     * Reads a run with the outputs of its steps.
     *
     * @param run the run
     * @return the run as it is now
     * @throws PgflowException.RunNotFound if there is no such run
     */
    public RunState read(UUID run) {
        ClientQueries.Run row = queries.run(run).orElseThrow(() -> new PgflowException.RunNotFound(run));
        List<StepState> steps = queries.steps(run);
        var outputs = outputs(run);
        if (row.completedAt() != null) {
            return new RunState.Completed(
                    run,
                    row.flowSlug(),
                    row.startedAt(),
                    row.completedAt(),
                    Optional.ofNullable(row.output()),
                    steps,
                    outputs);
        }
        if (row.failedAt() != null) {
            Optional<StepState> failed = steps.stream()
                    .filter(step -> step.status() == StepState.Status.FAILED)
                    .findFirst();
            return new RunState.Failed(
                    run,
                    row.flowSlug(),
                    row.startedAt(),
                    row.failedAt(),
                    failed.map(StepState::slug),
                    failed.flatMap(StepState::error).orElse("no step says why"),
                    steps,
                    outputs);
        }
        return new RunState.Started(run, row.flowSlug(), row.startedAt(), steps, outputs);
    }

    /**
     * Reads how far the steps of a run are. Cheap, whatever they gave.
     *
     * @param run the run
     * @return its steps in the order of the flow's definition; none if there is no such run
     */
    public List<StepState> steps(UUID run) {
        return queries.steps(run);
    }

    private RunState.Outputs outputs(UUID run) {
        var texts = queries.outputs(run);
        return new RunState.Outputs() {
            @Override
            public <O> @Nullable O of(Step<O> step) {
                String text = texts.get(step.slug());
                if (text == null) {
                    throw new IllegalStateException(step + " is not completed in run " + run);
                }
                return json.read(text, step.type());
            }
        };
    }
}
