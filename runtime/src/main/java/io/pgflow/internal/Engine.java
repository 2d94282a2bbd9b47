package io.pgflow.internal;

import io.pgflow.Flow;
import io.pgflow.PgflowException;
import io.pgflow.RunningWorkers;
import io.pgflow.WorkerSnapshot;
import io.pgflow.WorkerState;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The workers of one process and what they share: three connections, one that claims, one that records, one that listens and beats. Any thread
 * may call it.
 */
public final class Engine {

    private static final Logger log = LoggerFactory.getLogger(Engine.class);

    /** A pool may have no more connections than the workers keep: one that gets no answer soon must not stay away from them. */
    private static final Duration SILENCE_OF_BACKLOG = Duration.ofSeconds(5);

    private final InstantSource clock = InstantSource.system();
    private final Database database;
    private final WorkerSettings settings;
    private final Json json;
    private final Events events;
    private final Connections connections;
    private final Form form;
    private final Queries queries;
    private final RunInputs inputs;
    private final Deadlines deadlines = new Deadlines();
    private final OutcomeWriter outcomes;
    private final Map<String, PollLoop> workers = new LinkedHashMap<>();
    private final AtomicReference<@Nullable Housekeeper> housekeeper = new AtomicReference<>();
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final ClientQueries clientQueries;
    private final RunWatch watch;

    private Engine(Database database, Work work, Connections connections, Form form) {
        this.database = database;
        this.settings = work.settings();
        this.json = work.json();
        this.events = new Events(work.listeners(), clock);
        this.connections = connections;
        this.form = form;
        this.clientQueries = form.clientQueries(database.dataSource());
        this.watch = new RunWatch(clientQueries, announced -> ear(), RunWatch.Pauses.DEFAULT);
        this.queries = form.queries(connections.claiming());
        this.inputs = new RunInputs(queries);
        Queries recording = form.queries(connections.recording());
        this.outcomes = new OutcomeWriter(
                recording,
                new HandOver(recording, workers::get)::complete,
                settings.concurrency() * work.flows().size(),
                events,
                this::recorded,
                new Random());
    }

    /**
     * Opens the database, brings its schema up to date, compiles the flows that are missing, and starts a worker for each. From then on
     * {@code stop} ends them, and closes the database last.
     *
     * @throws PgflowException if the JVM, the database, its schema or a flow does not allow it; the database is closed then
     */
    public static Engine start(Supplier<Database> open, Work work, Stop stop) {
        StartChecks.requireScopes();
        StartChecks.requireDifferent(work);
        Database database = open.get();
        try {
            stop.checkpoint();
            var checks = new StartChecks(database);
            checks.requireConnections(Connections.KEPT);
            database.fill(Connections.KEPT - 1); // with the one that the checks use
            try {
                Form form = checks.requireSchema(work.settings().compile());
                stop.checkpoint();
                var served = ServedFlows.compiled(work, database, checks);
                stop.checkpoint();
                return start(database, served, form, stop);
            } catch (DataAccessException e) {
                throw checks.explained(e, "start the workers");
            }
        } catch (RuntimeException | Error e) {
            database.close();
            throw e;
        }
    }

    private static Engine start(Database database, Work work, Form form, Stop stop) {
        var connections = Connections.open(database.dataSource(), work.settings());
        var engine = new Engine(database, work, connections, form);
        try {
            engine.cleanUp();
            for (Flow<?> flow : work.flows()) {
                stop.checkpoint();
                engine.register(flow);
            }
            engine.work();
        } catch (RuntimeException | Error e) {
            engine.giveUp();
            throw e;
        }
        stop.onRequest(graceEndsAt -> engine.stop(stop, graceEndsAt));
        return engine;
    }

    /** Takes over what those have left who cannot be at work any more. */
    private void cleanUp() {
        settings.workerId().ifPresent(queries::markStopped);
        if (database.exclusive()) {
            queries.markAllStopped();
        } else if (settings.workerId().isEmpty()) {
            return;
        }
        var left = queries.recover();
        left.forEach(events::recovered);
        if (!left.isEmpty()) {
            log.info(
                    "{}",
                    LogLine.of("tasks_left_behind").with("tasks", left.size()).with("next", "they are queued again"));
        }
    }

    private void register(Flow<?> flow) {
        var life = new LifeCycle(clock);
        life.moveTo(WorkerState.STARTING);
        var id = settings.workerId().orElseGet(UUID::randomUUID);
        queries.register(id, flow.slug(), settings.heartbeatInterval());
        var throttle = Announcements.throttle(flow.slug(), queries, settings);
        var pace = new Pace(settings, throttle, this::listening, System::nanoTime, new Random());
        var runner = new TaskRunner(flow, json, inputs);
        var inHand = new InHand(id, settings.concurrency(), runner, outcomes, deadlines, events, clock);
        var worker = new PollLoop(flow, id, settings, queries, runner, inHand, pace, events, life, clock);
        worker.heard();
        workers.put(flow.slug(), worker);
    }

    private boolean listening() {
        var keeper = housekeeper.get();
        return keeper != null && keeper.listening();
    }

    private void work() {
        var keeper = new Housekeeper(
                connections.keeping(),
                form.queries(connections.keeping()),
                List.copyOf(workers.values()),
                settings,
                events,
                outcomes::allRecorded,
                watch::announced);
        keeper.start();
        housekeeper.set(keeper);
        for (PollLoop worker : workers.values()) {
            events.workerStarted(worker.workerId(), worker.name(), worker.flow().slug());
            worker.begin();
            log.info(
                    "{}",
                    LogLine.of("worker_started")
                            .with("worker", worker.workerId())
                            .with("name", worker.name())
                            .with("queue", worker.flow().slug())
                            .with("flow", worker.flow().slug())
                            .with("status", WorkerState.RUNNING)
                            .with("slots", settings.concurrency())
                            .with("wakeup", worker.announcing() ? "notify" : "polling")
                            .with("database", database.describe()));
        }
    }

    /** Undoes a start. */
    private void giveUp() {
        for (PollLoop worker : workers.values()) {
            try {
                queries.markStopped(worker.workerId());
            } catch (DataAccessException e) {
                log.debug("{}", LogLine.of("worker_not_marked_stopped").with("error", SqlErrors.describe(e)));
            }
        }
        outcomes.close();
        deadlines.close();
        events.close();
        connections.close();
    }

    private void stop(Stop stop, long graceEndsAt) {
        workers.values().forEach(worker -> worker.stop(graceEndsAt));
        outcomes.giveUpAt(graceEndsAt + Shutdown.LAST_WORDS.toNanos());
        var keeper = housekeeper.get();
        if (keeper != null && stopping.compareAndSet(false, true)) {
            var shutdown = new Shutdown(
                    stop,
                    List.copyOf(workers.values()),
                    connections,
                    outcomes,
                    inputs,
                    keeper,
                    deadlines,
                    watch,
                    events,
                    database);
            Thread.ofPlatform().daemon().name("pgflow-stop").start(shutdown);
        }
    }

    /** Gives these, as the program has them, to those who listen. */
    public void introduce(RunningWorkers workers) {
        events.introduce(workers);
    }

    /** What the workers work on. */
    public Database database() {
        return database;
    }

    /** What its clients send. */
    public ClientQueries clientQueries() {
        return clientQueries;
    }

    /**
     * The tasks of a flow that could be claimed now.
     *
     * @param age for how long the first of them could; zero if there is none
     */
    public record Backlog(int tasks, Duration age) {}

    /** What waits in the queue of a flow: asked on a connection for this alone, which none of those who work has to wait for. */
    public Backlog backlog(String flow) {
        try (var session = new Session(database.dataSource(), SILENCE_OF_BACKLOG)) {
            return session.call(db -> Listings.backlog(db, flow));
        }
    }

    /** What its clients wait by. */
    public RunWatch watch() {
        return watch;
    }

    private RunWatch.Ear ear() {
        return new RunWatch.Ear() {
            @Override
            public boolean hears() {
                return listening();
            }

            @Override
            public void close() {
                // it listens for the workers too
            }
        };
    }

    /** How the workers stand. */
    public List<WorkerSnapshot> snapshot() {
        return workers.values().stream().map(PollLoop::snapshot).toList();
    }

    /** Waits until no worker has anything in hand any more, and none will. */
    public void awaitDrained() throws InterruptedException {
        for (PollLoop worker : workers.values()) {
            worker.awaitDrained();
        }
    }

    /** Follows up what the database made of an outcome. */
    private void recorded(Outcome outcome, Report report) {
        ReportLog.log(outcome, report);
        events.recorded(outcome, report);
        if (report.runEnded() != null) {
            watch.ended(outcome.task().runId());
        }
        PollLoop worker = workers.get(outcome.task().flowSlug());
        if (report.next() != null && worker != null) {
            worker.handOver(report.next());
        }
        if (worker != null && (report.ready() || report.effect() == Report.Effect.RETRYING)) {
            worker.wake();
        }
    }

    /** Waits even if the thread is interrupted meanwhile: stopping is under way already, and bounded. */
    static boolean uninterrupted(Wait wait) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return wait.call();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A wait that can be begun again. */
    interface Wait {
        boolean call() throws InterruptedException;
    }
}
