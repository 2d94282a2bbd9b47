package io.pgflow;

import io.pgflow.internal.Database;
import io.pgflow.internal.Engine;
import io.pgflow.internal.Json;
import io.pgflow.internal.Signals;
import io.pgflow.internal.Stop;
import io.pgflow.internal.Work;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Workers at work. They stop when this is closed, and on SIGTERM and SIGINT, all alike; a second signal skips the grace. Any thread may use it. */
public final class RunningWorkers implements AutoCloseable {

    private final Engine engine;
    private final Stop stop;
    private final Signals signals;
    private final Client client;

    private RunningWorkers(Engine engine, Stop stop, Signals signals, Json json) {
        this.engine = engine;
        this.stop = stop;
        this.signals = signals;
        this.client = new Client(engine.clientQueries(), engine.watch(), json, () -> {});
    }

    /** Starts them, on a database to be opened; {@code main} is the thread that ends the program once they have stopped, if any does. */
    static RunningWorkers start(Supplier<Database> database, Work work, @Nullable Thread main) {
        var stop = new Stop(work.settings());
        var signals = new Signals(stop, main);
        try {
            var workers = new RunningWorkers(Engine.start(database, work, stop), stop, signals, work.json());
            workers.engine.introduce(workers);
            return workers;
        } catch (RuntimeException | Error e) { // else the JVM's end would wait for workers that are not there
            stop.ended();
            signals.ignore();
            throw e;
        }
    }

    /**
     * Starts runs and reads them, in the same database.
     *
     * @return a client that ends with these workers, and need not be closed
     */
    public Client client() {
        return client;
    }

    /**
     * The database they work on.
     *
     * @return its URL without password, or what is known of it
     */
    public String databaseUrl() {
        return engine.database().describe();
    }

    /**
     * How the workers stand at this moment. It asks nobody, and may be taken at any time, also when they have stopped.
     *
     * @return one for each flow
     */
    public List<WorkerSnapshot> snapshot() {
        return engine.snapshot();
    }

    /** The tasks of a flow that could be claimed now. It asks the database. */
    Engine.Backlog backlog(String flow) {
        return engine.backlog(flow);
    }

    /** Waits until the workers have nothing in hand any more, and take nothing. */
    void awaitStop() throws InterruptedException {
        engine.awaitDrained();
    }

    /**
     * Stops the workers: they claim nothing more, tasks in hand may end within the grace, then they are interrupted and handed back. Returns when
     * all is recorded and the connections are closed, or when the grace and 5 s are over. Closing again does nothing but wait for that.
     */
    @Override
    public void close() {
        stop.request();
        stop.awaitEnd();
        signals.ignore();
    }
}
