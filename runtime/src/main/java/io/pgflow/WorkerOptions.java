package io.pgflow;

import io.pgflow.internal.Database;
import io.pgflow.internal.Engine;
import io.pgflow.internal.Json;
import io.pgflow.internal.WorkerSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** How workers work. Every option has a default; each setter checks its value and returns these options. For one thread. */
public final class WorkerOptions {

    /** Three that the engine keeps, and some for clients. */
    private static final int CONNECTIONS = 6;

    private final @Nullable DataSource dataSource;
    private final @Nullable String url;
    private final @Nullable String user;
    private final @Nullable String password;
    private WorkerSettings settings = WorkerSettings.defaults();
    private Json json = new Json();
    private final List<WorkerListener> listeners = new ArrayList<>();

    WorkerOptions(
            @Nullable DataSource dataSource, @Nullable String url, @Nullable String user, @Nullable String password) {
        this.dataSource = dataSource;
        this.url = url;
        this.user = user;
        this.password = password;
    }

    /**
     * Sets how many tasks of each flow run at once in this process.
     *
     * @param tasks 1 or more; 10 unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions concurrency(int tasks) {
        if (tasks < 1) {
            throw new PgflowException.InvalidOption("concurrency", Integer.toString(tasks), "1 or more");
        }
        settings = settings.withConcurrency(tasks);
        return this;
    }

    /**
     * Sets how long tasks in hand may go on after a stop, before they are interrupted and handed back.
     *
     * @param time zero or more; 30 s unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions grace(Duration time) {
        if (time.isNegative()) {
            throw new PgflowException.InvalidOption("grace", time.toString(), "zero or more");
        }
        settings = settings.withGrace(time);
        return this;
    }

    /**
     * Sets how often the workers say that they live. When one has missed three beats, others take over its tasks.
     *
     * @param time 100 ms to 1 min; 4 s unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions heartbeatInterval(Duration time) {
        if (time.compareTo(Duration.ofMillis(100)) < 0 || time.compareTo(Duration.ofMinutes(1)) > 0) {
            throw new PgflowException.InvalidOption("heartbeatInterval", time.toString(), "100 ms to 1 min");
        }
        settings = settings.withHeartbeatInterval(time);
        return this;
    }

    /**
     * Sets how often one of the workers looks for tasks that nobody works on any more.
     *
     * @param time 100 ms to 5 min; 5 s unless set
     * @return these options
     * @throws PgflowException.InvalidOption if out of range
     */
    public WorkerOptions recoveryInterval(Duration time) {
        if (time.compareTo(Duration.ofMillis(100)) < 0 || time.compareTo(Duration.ofMinutes(5)) > 0) {
            throw new PgflowException.InvalidOption("recoveryInterval", time.toString(), "100 ms to 5 min");
        }
        settings = settings.withRecoveryInterval(time);
        return this;
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
     * @throws PgflowException if the database, its schema or a flow does not allow to start
     */
    public void run(Flow<?>... flows) {
        try (RunningWorkers workers = start(flows)) {
            workers.endsWith(Thread.currentThread());
            workers.awaitStop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed all the same
        }
    }

    /**
     * Serves flows until the result is closed, or SIGTERM or SIGINT.
     *
     * @param flows one or more
     * @return the workers at work
     * @throws PgflowException if the database, its schema or a flow does not allow to start
     */
    public RunningWorkers start(Flow<?>... flows) {
        Database database = dataSource != null
                ? Database.of(dataSource)
                : Database.open(url, user, password, CONNECTIONS, System.getenv(), Path.of(""));
        return new RunningWorkers(Engine.start(database, List.of(flows), settings, json, List.copyOf(listeners)), json);
    }
}
