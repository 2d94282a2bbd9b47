package io.pgflow;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Starts runs, by {@code pgflow.start_flows}: a {@link Client} each call in a transaction of its own, what {@link Client#in} gives as part of
 * the caller's.
 *
 * <p>Beside the errors below, a database that gives no answer (a {@link Client} waits a minute for it) or refuses for another reason is a
 * {@link org.jooq.exception.DataAccessException}. Runs may have been started where no answer came: with ids of yours you can start them again.
 */
public sealed interface Starter permits Client, Starts {

    /**
     * Starts a run.
     *
     * @param flow a flow that is compiled in this database
     * @param input what its root steps read
     * @param <I> the same
     * @return the new run
     * @throws IllegalArgumentException if the input cannot be stored as JSON
     * @throws PgflowException.FlowNotFound if the flow is not compiled
     */
    <I> UUID start(Flow<I> flow, I input);

    /**
     * Starts a run with an id of the caller's choice. Doing it again gives the same run, with the input it was started with first.
     *
     * @param flow a flow that is compiled in this database
     * @param input what its root steps read
     * @param id the run's id
     * @param <I> the input
     * @return the id
     * @throws IllegalArgumentException if the input cannot be stored as JSON
     * @throws PgflowException.FlowNotFound if the flow is not compiled
     * @throws PgflowException.RunOfAnotherFlow if there is a run of that id, of another flow
     */
    <I> UUID start(Flow<I> flow, I input, UUID id);

    /**
     * Starts many runs at once: all of them, or none where there is an error.
     *
     * @param flow a flow that is compiled in this database
     * @param inputs one for each run; a thousand or so at a time are fastest, and more than a hundred thousand may take longer than a client waits
     * @param <I> the input
     * @return the runs, in the order of the inputs
     * @throws IllegalArgumentException if an input cannot be stored as JSON
     * @throws PgflowException.FlowNotFound if the flow is not compiled
     */
    <I> List<UUID> startAll(Flow<I> flow, List<? extends I> inputs);

    /**
     * Starts many runs at once with ids of the caller's choice: all of them, or none where there is an error. Those that are there already stay as
     * they are.
     *
     * @param flow a flow that is compiled in this database
     * @param inputs one for each run, by the run's id
     * @param <I> the input
     * @return the ids of the runs that are new
     * @throws IllegalArgumentException if an input cannot be stored as JSON
     * @throws PgflowException.FlowNotFound if the flow is not compiled
     * @throws PgflowException.RunOfAnotherFlow if one of the ids is that of a run of another flow
     */
    <I> Set<UUID> startAll(Flow<I> flow, Map<UUID, ? extends I> inputs);
}
