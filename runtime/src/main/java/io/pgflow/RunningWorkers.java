package io.pgflow;

import io.pgflow.internal.Engine;
import io.pgflow.internal.Json;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Workers at work. They stop when this is closed, and on SIGTERM and SIGINT. Any thread may use it. */
public final class RunningWorkers implements AutoCloseable {

    /** How long a program may take to end after {@link Workers#run} has returned because of a signal. */
    private static final Duration LAST_STEPS = Duration.ofSeconds(5);

    private final Engine engine;
    private final Client client;
    private final Thread atSignal = Thread.ofPlatform().name("pgflow-stop").unstarted(this::stopAtSignal);
    private volatile @Nullable Thread main;

    RunningWorkers(Engine engine, Json json) {
        this.engine = engine;
        this.client = new Client(engine.clientQueries(), engine.watch(), json, () -> {});
        Runtime.getRuntime().addShutdownHook(atSignal);
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

    /** Waits until the workers have stopped. */
    void awaitStop() throws InterruptedException {
        engine.awaitDrained();
    }

    /** After a signal the JVM ends when this thread has: it may have something left to do. */
    void endsWith(Thread thread) {
        main = thread;
    }

    private void stopAtSignal() {
        engine.close();
        Thread thread = main;
        if (thread != null) {
            try {
                thread.join(LAST_STEPS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Stops the workers: they claim nothing more, tasks in hand may end within the grace, then they are interrupted and handed back. Returns when
     * all is recorded and the connections are closed. Closing again does nothing but wait for that.
     */
    @Override
    public void close() {
        engine.close();
        try {
            Runtime.getRuntime().removeShutdownHook(atSignal);
        } catch (IllegalStateException e) {
            // a signal was what closed it
        }
    }
}
