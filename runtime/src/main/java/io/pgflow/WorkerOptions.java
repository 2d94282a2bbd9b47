package io.pgflow;

import io.pgflow.internal.Database;
import io.pgflow.internal.Json;
import io.pgflow.internal.Option;
import io.pgflow.internal.Options;
import io.pgflow.internal.Work;
import io.pgflow.internal.WorkerSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * How workers work. Every option has a default; each setter checks its value and returns these options. The environment has the last word: a
 * variable like {@code PGFLOW_CONCURRENCY} or {@code PGFLOW_GRACE} (times as in {@code 30s}, {@code 500ms} or {@code PT30S}) beats what the code sets. For
 * one thread.
 */
public final class WorkerOptions {

    /** Three that the engine keeps, and some for clients. */
    private static final int CONNECTIONS = 6;

    private final @Nullable DataSource dataSource;
    private final @Nullable String url;
    private final @Nullable String user;
    private final @Nullable String password;
    private final Map<Option<?>, Object> values = new HashMap<>();
    private Map<String, String> environment = System.getenv();
    private Json json = new Json();
    private final List<WorkerListener> listeners = new ArrayList<>();

    WorkerOptions(
            @Nullable DataSource dataSource, @Nullable String url, @Nullable String user, @Nullable String password) {
        this.dataSource = dataSource;
        this.url = url;
        this.user = user;
        this.password = password;
    }

    /** How workers learn of new tasks. */
    public enum SignalStrategy {
        /** The queue announces them, and polling is rare. */
        NOTIFY,
        /** They poll, the more rarely the longer nothing comes. */
        POLLING
    }

    /** What a start may do about a flow that is not in the database as it is in the code. */
    public enum Compile {
        /** Brings the schema up to date, writes a flow that is missing, and refuses to start with one that has another shape. */
        MISSING,
        /** Writes neither the schema nor a flow: for those who deploy both by migrations of their own ({@link Flow#toSql}). */
        VERIFY,
        /**
         * Deletes a flow that has another shape <em>with all its runs</em>, and writes it anew. For development; it cannot be set by the environment.
         */
        RECOMPILE
    }

    /** What becomes of the other flows where one of several cannot be served. */
    public enum FailedStart {
        /** The start fails. */
        STOP_ALL,
        /** The others are served, and an error is logged; the start fails only if none can be served. */
        LEAVE_OTHERS
    }

    private <T> WorkerOptions set(Option<T> option, T value) {
        values.put(option, option.checked(value));
        return this;
    }

    /**
     * Sets what the names of the workers begin with, in logs and thread names; a hyphen and the flow's slug follow.
     *
     * @param prefix 1 to 40 letters, digits, dots, hyphens and underscores; {@code pgflow} unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions name(String prefix) {
        return set(Options.NAME, prefix);
    }

    /**
     * Sets the id of the worker, where only one flow is served. Tasks that a worker of this id had in hand before are queued again at the start.
     *
     * @param id not in use by another process; random unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions workerId(UUID id) {
        return set(Options.WORKER_ID, id);
    }

    /**
     * Sets how many tasks of each flow run at once in this process.
     *
     * @param tasks 1 to 100,000; 10 unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions concurrency(int tasks) {
        return set(Options.CONCURRENCY, tasks);
    }

    /**
     * Sets how many tasks one claim takes at most. No claim takes more than there are free slots.
     *
     * @param tasks 1 to 200; as the concurrency, at most 200, unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions batchSize(int tasks) {
        return set(Options.BATCH_SIZE, tasks);
    }

    /**
     * Sets how long tasks in hand may go on after a stop, before they are interrupted and handed back: one limit for all.
     *
     * @param time zero to 24 h; 30 s unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions grace(Duration time) {
        return set(Options.GRACE, time);
    }

    /**
     * Sets how workers learn of new tasks.
     *
     * @param strategy {@code NOTIFY} where the queue can announce, else {@code POLLING}, unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions signalStrategy(SignalStrategy strategy) {
        return set(Options.SIGNAL_STRATEGY, strategy);
    }

    /**
     * Sets the shortest pause between polls that find less than there are free slots, where tasks are not announced. While they find nothing, pauses grow, at
     * random, up to the longest.
     *
     * @param time 10 ms to 5 min; 1 s unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions minPollInterval(Duration time) {
        return set(Options.MIN_POLL_INTERVAL, time);
    }

    /**
     * Sets the longest pause between polls that find nothing, where tasks are not announced; and between attempts to reach a database that is away.
     *
     * @param time 10 ms to 5 min, not below the shortest; 5 s unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions maxPollInterval(Duration time) {
        return set(Options.MAX_POLL_INTERVAL, time);
    }

    /**
     * Sets the longest pause between polls where tasks are announced: announcements may be lost.
     *
     * @param time 100 ms to 10 min; 30 s unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions notifyFallback(Duration time) {
        return set(Options.NOTIFY_FALLBACK, time);
    }

    /**
     * Sets the least time between two announcements of a queue. One that somebody has set before stays, and is used.
     *
     * @param time zero for an announcement each insert, to 1 min; 10 ms unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions notifyThrottle(Duration time) {
        return set(Options.NOTIFY_THROTTLE, time);
    }

    /**
     * Sets how often the workers say that they live. When one has missed three beats, others take over its tasks.
     *
     * @param time 100 ms to 1 min; 4 s unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions heartbeatInterval(Duration time) {
        return set(Options.HEARTBEAT_INTERVAL, time);
    }

    /**
     * Sets how often one of the workers looks for tasks that nobody works on any more.
     *
     * @param time 100 ms to 5 min; 5 s unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions recoveryInterval(Duration time) {
        return set(Options.RECOVERY_INTERVAL, time);
    }

    /**
     * Sets what the start may do about the schema, and about flows that are not in the database as they are in the code.
     *
     * @param what {@code MISSING} unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions compile(Compile what) {
        return set(Options.COMPILE, what);
    }

    /**
     * Sets what becomes of the other flows where one of several cannot be served.
     *
     * @param what {@code STOP_ALL} unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions failedStart(FailedStart what) {
        return set(Options.FAILED_START, what);
    }

    /**
     * Sets how values are written as JSON and read back.
     *
     * @param mapper a Jackson mapper; unless set, Jackson's defaults with the modules on the class path, exact with numbers
     * @return these options
     */
    public WorkerOptions json(JsonMapper mapper) {
        json = new Json(mapper);
        return this;
    }

    /** Takes variables from elsewhere. */
    WorkerOptions environment(Map<String, String> variables) {
        environment = variables;
        return this;
    }

    /**
     * Adds a listener, which is told what the workers do.
     *
     * @param listener called on a thread of its own; it may be slow and may throw, and holds up nobody
     * @return these options
     */
    public WorkerOptions listener(WorkerListener listener) {
        listeners.add(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Serves flows until SIGTERM or SIGINT; then finishes what is in hand, and returns.
     *
     * @param flows one or more
     * @throws PgflowException if an option, the database, its schema or a flow does not allow to start
     */
    public void run(Flow<?>... flows) {
        try (RunningWorkers workers = start(Thread.currentThread(), flows)) {
            workers.awaitStop();
        } catch (PgflowException.StoppedWhileStarting e) {
            // that is what a signal is for
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed all the same
        }
    }

    /**
     * Serves flows until the result is closed, or SIGTERM or SIGINT.
     *
     * @param flows one or more
     * @return the workers at work
     * @throws PgflowException if an option, the database, its schema or a flow does not allow to start
     */
    public RunningWorkers start(Flow<?>... flows) {
        return start(null, flows);
    }

    private RunningWorkers start(@Nullable Thread main, Flow<?>... flows) {
        var settings = WorkerSettings.of(values, environment);
        var work = new Work(List.of(flows), settings, json, List.copyOf(listeners));
        return RunningWorkers.start(this::database, work, main);
    }

    private Database database() {
        return dataSource != null
                ? Database.of(dataSource)
                : Database.open(url, user, password, CONNECTIONS, environment, Path.of(""));
    }
}
