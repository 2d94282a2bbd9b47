package io.pgflow.internal;

import io.pgflow.Flow;
import io.pgflow.PgflowException;
import io.pgflow.WorkerListener;
import io.pgflow.sql.Migration;
import io.pgflow.sql.Schema;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The workers of one process and what they share: three connections, one that claims, one that records, one that listens and beats. Any thread
 * may call it.
 */
public final class Engine implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Engine.class);

    /** How long the database may fail to answer once everything has stopped. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final Database database;
    private final WorkerSettings settings;
    private final Session claiming;
    private final Session recording;
    private final Session keeping;
    private final Map<String, PollLoop> workers = new LinkedHashMap<>();
    private final Deadlines deadlines = new Deadlines();
    private final Events events;
    private final Instant startedAt;
    private final OutcomeWriter outcomes;
    private final Housekeeper housekeeper;
    private final ClientQueries clientQueries;
    private final RunWatch watch;
    private final ReentrantLock closing = new ReentrantLock();
    private boolean closed;

    private Engine(
            Database database,
            List<Flow<?>> flows,
            WorkerSettings settings,
            Json json,
            List<WorkerListener> listeners) {
        this.database = database;
        this.settings = settings;
        claiming = new Session(database.dataSource());
        recording = new Session(database.dataSource());
        keeping = new Session(database.dataSource());
        var clock = InstantSource.system();
        var housekeeping = new AtomicReference<Housekeeper>();
        var announcing = new HashSet<String>();
        events = new Events(listeners, clock);
        clientQueries = ClientQueries.on(database.dataSource());
        watch = new RunWatch(clientQueries, announced -> ear(housekeeping.get()), RunWatch.Pauses.DEFAULT);
        outcomes = new OutcomeWriter(
                new Queries(recording), settings.concurrency() * flows.size(), events, this::recorded, new Random());
        try {
            List.of(claiming, recording, keeping).forEach(Session::open);
            var queries = new Queries(claiming);
            if (database.exclusive()) {
                queries.markAllStopped(); // nobody else can be at work here
                var left = queries.recover();
                left.forEach(events::recovered);
                if (!left.isEmpty()) {
                    log.info(
                            "{}",
                            LogLine.of("tasks_left_by_last_program")
                                    .with("tasks", left.size())
                                    .with("next", "they are queued again"));
                }
            }
            for (Flow<?> flow : flows) {
                var id = UUID.randomUUID();
                queries.register(id, flow.slug(), settings.heartbeatInterval());
                if (queries.enableNotifications(flow.slug(), settings.notifyThrottle())) {
                    announcing.add(flow.slug());
                }
                workers.put(
                        flow.slug(),
                        new PollLoop(
                                flow,
                                id,
                                settings,
                                queries,
                                new TaskRunner(flow, json),
                                outcomes,
                                events,
                                deadlines,
                                () -> announcing.contains(flow.slug())
                                        && housekeeping.get().listening(),
                                clock,
                                new Random()));
            }
            housekeeper = new Housekeeper(
                    keeping, List.copyOf(workers.values()), settings, events, this::deprecated, watch::announced);
            housekeeping.set(housekeeper);
            housekeeper.start();
        } catch (RuntimeException e) {
            outcomes.close();
            deadlines.close();
            events.close();
            List.of(claiming, recording, keeping).forEach(Session::close);
            throw e;
        }
        startedAt = clock.instant();
        for (PollLoop worker : workers.values()) {
            events.workerStarted(
                    worker.workerId(),
                    settings.name(worker.flow()),
                    worker.flow().slug());
            Thread.ofVirtual().name(settings.name(worker.flow())).start(worker);
            log.info(
                    "{}",
                    LogLine.of("worker_started")
                            .with("worker", worker.workerId())
                            .with("name", settings.name(worker.flow()))
                            .with("queue", worker.flow().slug())
                            .with("flow", worker.flow().slug())
                            .with("status", "running")
                            .with("slots", settings.concurrency())
                            .with("wakeup", announcing.contains(worker.flow().slug()) ? "notify" : "polling")
                            .with("database", database.describe()));
        }
    }

    /**
     * Brings the schema up to date, compiles the flows that are missing, and starts a worker for each. The engine owns the database from
     * here on.
     *
     * @throws PgflowException if the database, the schema or a flow does not allow it; the database is closed then
     */
    public static Engine start(
            Database database,
            List<Flow<?>> flows,
            WorkerSettings settings,
            Json json,
            List<WorkerListener> listeners) {
        try {
            requireDifferent(flows);
            prepare(database, flows);
            return new Engine(database, flows, settings, json, listeners);
        } catch (DataAccessException e) {
            var failure = new PgflowException.DatabaseUnavailable(database.describe(), e);
            database.close();
            throw failure;
        } catch (RuntimeException e) {
            database.close();
            throw e;
        }
    }

    /** Brings the schema up to date and compiles the flows that are missing. */
    static void prepare(Database database, List<Flow<?>> flows) {
        Migration migration = Schema.migrate(database.dataSource());
        switch (migration.outcome()) {
            case INSTALLED, UPGRADED -> log.info("{}", line(migration));
            case UNCHANGED, NEWER -> log.debug("{}", line(migration));
            case FOREIGN ->
                throw new PgflowException.SchemaMismatch(
                        "one made by others",
                        "PgFlow's own functions beside pgflow's",
                        "Use a database without a schema pgflow: PgFlow installs its own there.");
        }
        var compiler = new FlowCompiler(database.dataSource());
        for (Flow<?> flow : flows) {
            if (compiler.compile(flow)) {
                log.info("{}", LogLine.of("flow_compiled").with("flow", flow.slug()));
            }
        }
    }

    private static LogLine line(Migration migration) {
        return LogLine.of("schema_checked").with("outcome", migration.outcome()).with("pgmq", migration.pgmq());
    }

    private static void requireDifferent(List<Flow<?>> flows) {
        var slugs = new ArrayList<String>();
        for (Flow<?> flow : flows) {
            if (slugs.contains(flow.slug())) {
                throw new PgflowException.InvalidFlow(flow.slug(), null, "is given twice; one worker serves it");
            }
            slugs.add(flow.slug());
        }
        if (slugs.isEmpty()) {
            throw new PgflowException.InvalidOption("flows", "none", "one or more");
        }
    }

    /** What the workers work on. */
    public Database database() {
        return database;
    }

    /** What its clients send. */
    public ClientQueries clientQueries() {
        return clientQueries;
    }

    /** What its clients wait by. */
    public RunWatch watch() {
        return watch;
    }

    private static RunWatch.Ear ear(Housekeeper housekeeper) {
        return new RunWatch.Ear() {
            @Override
            public boolean hears() {
                return housekeeper.listening();
            }

            @Override
            public void close() {
                // it listens for the workers too
            }
        };
    }

    /** Waits until all workers have stopped. */
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
        if (report.ready() || report.effect() == Report.Effect.RETRYING) {
            PollLoop worker = workers.get(outcome.task().flowSlug());
            if (worker != null) {
                worker.wake();
            }
        }
    }

    private static LogLine line(String event, PollLoop worker) {
        return LogLine.of(event).with("flow", worker.flow().slug()).with("worker", worker.workerId());
    }

    private void deprecated(PollLoop worker) {
        log.info("{}", line("worker_deprecated", worker).with("next", "it finishes what it has, and stops"));
        worker.stop(Instant.now().plus(settings.grace()));
    }

    /**
     * Stops the workers, with one limit for all: tasks in hand may end within the grace, then they are interrupted and handed back. Everything
     * is recorded, and the database closed last. A second call waits for the first.
     */
    @Override
    public void close() {
        closing.lock();
        try {
            if (!closed) {
                closed = true;
                drain();
            }
        } finally {
            closing.unlock();
        }
    }

    private void drain() {
        Instant interruptAt = Instant.now().plus(settings.grace());
        workers.values().forEach(worker -> worker.stop(interruptAt));
        for (PollLoop worker : workers.values()) {
            if (!drained(worker, interruptAt)) {
                log.warn("{}", line("worker_stuck_in_claim", worker).with("next", "its connection is cut"));
                claiming.abort();
                drained(worker, interruptAt);
            }
        }
        outcomes.close(LAST_WORDS);
        watch.close();
        var queries = new Queries(recording);
        uninterrupted(() -> {
            housekeeper.close(queries);
            return true;
        });
        for (PollLoop worker : workers.values()) {
            try {
                queries.markStopped(worker.workerId());
            } catch (DataAccessException e) {
                log.warn("{}", line("worker_not_marked_stopped", worker).with("error", SqlErrors.describe(e)));
            }
            events.workerStopped(
                    worker.workerId(),
                    settings.name(worker.flow()),
                    worker.flow().slug(),
                    Duration.between(startedAt, Instant.now()));
        }
        deadlines.close();
        List.of(claiming, recording, keeping).forEach(Session::close);
        database.close();
        events.close();
        log.info("{}", LogLine.of("workers_stopped").with("flows", String.join(",", workers.keySet())));
    }

    private static boolean drained(PollLoop worker, Instant interruptAt) {
        return uninterrupted(() ->
                worker.awaitDrained(Duration.between(Instant.now(), interruptAt).plus(LAST_WORDS)));
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
