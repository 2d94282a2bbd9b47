package io.pgflow;

import io.pgflow.internal.Backoff;
import io.pgflow.internal.ClientQueries;
import io.pgflow.internal.Database;
import io.pgflow.internal.Json;
import io.pgflow.internal.RunListener;
import io.pgflow.internal.RunWatch;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Starts runs, waits for them and reads them: {@link RunningWorkers#client} in a program with workers, {@link #connect(String)} in one without. Any
 * thread may use it. However many do, it uses three connections at once at most, and one more to listen where it stands alone.
 *
 * <p>A call that gets no answer from the database, or is refused for another reason than those named, throws jOOQ's {@link DataAccessException}. A
 * statement that was sent and is not answered for a minute, as where the network is cut without a word or the database is that slow, counts as one without
 * an answer; what it was to do may have been done, or be done yet. Connections with a limit of their own, as {@code socketTimeout} in a URL, keep that. Two
 * calls are under way at once; the others wait for those before them, and no interrupt ends that.
 */
public final class Client implements Starter, AutoCloseable {

    /** Two for calls, one that looks after awaited runs, one that listens. */
    private static final int CONNECTIONS = 4;

    /** No wait is longer, whatever the limit: a time in nanoseconds must not overflow. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private final ClientQueries queries;
    private final RunWatch watch;
    private final Json json;
    private final Runnable end;
    private final Starter starter;

    /** What is closed with it is {@code end}'s matter. */
    Client(ClientQueries queries, RunWatch watch, Json json, Runnable end) {
        this.queries = queries;
        this.watch = watch;
        this.json = json;
        this.end = end;
        this.starter = new Starts(queries, json);
    }

    /**
     * A client for the database of the environment, or the embedded one, as {@link Workers} finds it.
     *
     * @return to be closed
     * @throws PgflowException if there is no connection, or no schema that fits this release; nothing is installed or upgraded
     */
    public static Client connect() {
        return open(null, null, null);
    }

    /**
     * A client for a database named here.
     *
     * @param url {@code jdbc:postgresql://…} or {@code postgresql://user:pw@host/db}
     * @return to be closed
     * @throws PgflowException if there is no connection, or no schema that fits this release; nothing is installed or upgraded
     */
    public static Client connect(String url) {
        return open(url, null, null);
    }

    /**
     * A client for a database named here.
     *
     * @param url {@code jdbc:postgresql://…} or {@code postgresql://host/db}
     * @param user the database user
     * @param password the user's password
     * @return to be closed
     * @throws PgflowException if there is no connection, or no schema that fits this release; nothing is installed or upgraded
     */
    public static Client connect(String url, String user, String password) {
        return open(url, user, password);
    }

    /**
     * A client for a database that the program is connected to.
     *
     * @param dataSource a pool, which should have four connections to spare; it is not closed
     * @return to be closed
     * @throws PgflowException if there is no connection, or no schema that fits this release; nothing is installed or upgraded
     */
    public static Client connect(DataSource dataSource) {
        return on(Database.of(dataSource));
    }

    private static Client open(@Nullable String url, @Nullable String user, @Nullable String password) {
        return on(Database.open(url, user, password, CONNECTIONS, System.getenv(), Path.of("")));
    }

    private static Client on(Database database) {
        ClientQueries queries;
        try {
            queries = database.requireSchema().clientQueries(database.dataSource());
        } catch (RuntimeException e) {
            database.close();
            throw e;
        }
        var watch = new RunWatch(
                queries, heard -> new RunListener(database.dataSource(), queries, heard), RunWatch.Pauses.DEFAULT);
        return new Client(queries, watch, new Json(), () -> {
            watch.close();
            database.close();
        });
    }

    /**
     * The same client with another way to write values as JSON and read them back. Closing either closes both.
     *
     * @param mapper a Jackson mapper
     * @return a client on the same connections
     */
    public Client json(JsonMapper mapper) {
        return new Client(queries, watch, new Json(mapper), end);
    }

    /**
     * Starts runs as part of the caller's transaction: they are there for workers and everybody else when the caller commits, and never if it rolls
     * back. An error leaves the transaction to be rolled back, as PostgreSQL has it.
     *
     * @param connection with the transaction; nothing on it is committed, rolled back or closed, and how long it may be silent is the caller's matter
     * @return for use while the transaction lasts, by one thread
     */
    public Starter in(Connection connection) {
        return new Starts(queries.in(connection), json);
    }

    /**
     * The same for a transaction of jOOQ's: {@code db.transaction(tx -> client.in(tx.dsl()).start(…))}.
     *
     * @param transaction the context to work in
     * @return for use while the transaction lasts, by one thread
     */
    public Starter in(DSLContext transaction) {
        return new Starts(queries.inTransaction(transaction), json);
    }

    @Override
    public <I> UUID start(Flow<I> flow, I input) {
        return starter.start(flow, input);
    }

    @Override
    public <I> UUID start(Flow<I> flow, I input, UUID id) {
        return starter.start(flow, input, id);
    }

    @Override
    public <I> List<UUID> startAll(Flow<I> flow, List<? extends I> inputs) {
        return starter.startAll(flow, inputs);
    }

    @Override
    public <I> Set<UUID> startAll(Flow<I> flow, Map<UUID, ? extends I> inputs) {
        return starter.startAll(flow, inputs);
    }

    /**
     * Finds a run that can be waited for instead of starting another one. It reads runs of the flow until one fits, and two callers at once may both find
     * none: to start one run whoever else does, start it by an id.
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
     * Waits for the end of a run. The database wakes it; while waiting it holds no connection, and however many runs a process waits for cost
     * about one statement in a few seconds. An outage of the database is waited out; a last look at the run that gets no answer may end a minute
     * after the limit.
     *
     * @param run the run
     * @param limit how long to wait at most; a run that has ended is returned whatever the limit
     * @return the run
     * @throws PgflowException.RunFailed if it failed
     * @throws PgflowException.RunUnfinished if the time is over; the run goes on
     * @throws PgflowException.RunNotFound if there is no such run, or its transaction has not been committed
     * @throws InterruptedException if the thread was interrupted; the run goes on
     * @throws IllegalStateException if the client is closed, also while waiting; the run goes on
     */
    public RunState.Completed await(UUID run, Duration limit) throws InterruptedException {
        long until = System.nanoTime() + (limit.compareTo(LONGEST) < 0 ? limit : LONGEST).toNanos();
        while (true) {
            boolean inTime = watch.await(run, until);
            switch (inTime ? readEnd(run, until) : read(run)) {
                case RunState.Completed completed -> {
                    return completed;
                }
                case RunState.Failed failed ->
                    throw new PgflowException.RunFailed(
                            run, failed.flowSlug(), failed.failedStep().orElse(null), failed.error());
                case RunState.Started started when !inTime -> throw new PgflowException.RunUnfinished(run, limit);
                case RunState.Started started -> {} // it was not there a moment ago, when others asked for it
            }
        }
    }

    /** Reads what has ended, and tries again where the database fails just now. */
    private RunState readEnd(UUID run, long until) throws InterruptedException {
        var broken = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(5), new Random());
        while (true) {
            try {
                return read(run);
            } catch (DataAccessException e) {
                if (Thread.interrupted()) { // which closes a connection that a virtual thread reads from
                    throw (InterruptedException) new InterruptedException().initCause(e);
                }
                Duration pause = broken.next();
                if (System.nanoTime() + pause.toNanos() - until > 0) {
                    throw e;
                }
                Thread.sleep(pause);
            }
        }
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
        var outputs = new StepOutputs(run, row.flowSlug(), row.outputs(), json);
        if (row.completedAt() != null) {
            return new RunState.Completed(
                    run,
                    row.flowSlug(),
                    row.startedAt(),
                    row.completedAt(),
                    Optional.ofNullable(row.output()),
                    row.steps(),
                    outputs);
        }
        if (row.failedAt() != null) {
            Optional<StepState> failed = row.steps().stream()
                    .filter(step -> step.status() == StepState.Status.FAILED)
                    .findFirst();
            return new RunState.Failed(
                    run,
                    row.flowSlug(),
                    row.startedAt(),
                    row.failedAt(),
                    failed.map(StepState::slug),
                    failed.flatMap(StepState::error).orElse("no step says why"),
                    row.steps(),
                    outputs);
        }
        return new RunState.Started(run, row.flowSlug(), row.startedAt(), row.steps(), outputs);
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

    /**
     * Lists runs, newest first, a page at a time.
     *
     * {@snippet :
     * var page = RunQuery.newest(50).of(flow).status(RunSummary.Status.FAILED);
     * var failed = client.runs(page);
     * var older = client.runs(page.olderThan(failed.getLast()));
     * }
     *
     * @param query which ones
     * @return the page; shorter than its limit if it is the last
     */
    public List<RunSummary> runs(RunQuery query) {
        return queries.runs(query);
    }

    /**
     * Lists the flows of the database with their options and steps.
     *
     * @return by slug
     */
    public List<StoredFlow> flows() {
        return queries.flows();
    }

    /**
     * Ends all waits, and gives the connections back. Again does nothing; a client of workers ends with these, and is not closed by this.
     */
    @Override
    public void close() {
        end.run();
    }
}
