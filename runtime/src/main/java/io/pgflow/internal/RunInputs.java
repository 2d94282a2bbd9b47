package io.pgflow.internal;

import java.time.Duration;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The inputs of runs, for steps that read them although their claims do not carry them. Fetched when asked for, those asked for together in one
 * statement, and each once as long as it is among the latest. Any thread may ask; the fetching is a thread's of its own, since an
 * interrupt of a handler would break the connection.
 */
final class RunInputs {

    private static final Logger log = LoggerFactory.getLogger(RunInputs.class);

    /** Characters kept, beside what somebody waits for. */
    private static final long KEPT = 16 << 20;

    /** What it takes to keep one, beside its own characters. */
    private static final int ENTRY = 200;

    /** Fetched together at most: each may be long. */
    private static final int BATCH = 100;

    private final Queries queries;
    private final Backoff backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(5), new Random());
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<UUID, CompletableFuture<String>> inputs = new LinkedHashMap<>(16, 0.75f, true);
    private final Set<UUID> wanted = new HashSet<>();
    private long kept;
    private boolean fetching;
    private volatile boolean closed;

    RunInputs(Queries queries) {
        this.queries = queries;
    }

    /** Asks for a run's input without waiting for it. */
    void expect(UUID run) {
        var unused = ask(run);
    }

    private CompletableFuture<String> ask(UUID run) {
        lock.lock();
        try {
            var input = inputs.get(run);
            if (input == null) {
                input = new CompletableFuture<>();
                inputs.put(run, input);
                wanted.add(run);
                if (!fetching) {
                    Thread.ofVirtual().name("pgflow-inputs").start(this::fetch);
                    fetching = true;
                }
            }
            return input;
        } finally {
            lock.unlock();
        }
    }

    /**
     * A run's input, as JSON.
     *
     * @throws CancellationException if the thread is interrupted meanwhile
     * @throws IllegalStateException if there is no such run any more
     */
    String get(UUID run) {
        try {
            return ask(run).get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted while waiting for the run's input");
        } catch (ExecutionException e) {
            throw new IllegalStateException(
                    "the input of run " + run + " cannot be read: " + e.getCause(), e.getCause());
        }
    }

    /** Fetches nothing more; who waits gets an error. */
    void close() {
        closed = true;
    }

    private void fetch() {
        for (List<UUID> runs = next(); !runs.isEmpty(); runs = next()) {
            try {
                arrived(runs, queries.runInputs(Set.copyOf(runs)));
                backoff.reset();
            } catch (DataAccessException e) {
                if (closed || SqlErrors.refusesData(e)) {
                    failed(runs, e);
                } else {
                    retryLater(runs, e);
                }
            } catch (RuntimeException | Error e) { // errors too: those who ask must not wait for nobody
                failed(runs, e);
            }
        }
    }

    private List<UUID> next() {
        lock.lock();
        try {
            var runs = wanted.stream().limit(BATCH).toList();
            runs.forEach(wanted::remove);
            fetching = !runs.isEmpty();
            return runs;
        } finally {
            lock.unlock();
        }
    }

    private void arrived(List<UUID> runs, Map<UUID, String> found) {
        lock.lock();
        try {
            for (UUID run : runs) {
                var input = inputs.get(run);
                String json = found.get(run);
                if (input == null) {
                    continue;
                }
                if (json == null) {
                    inputs.remove(run);
                    input.completeExceptionally(new IllegalStateException("the run is not there any more"));
                } else {
                    kept += json.length() + ENTRY;
                    input.complete(json);
                }
            }
            forgetTheEldest();
        } finally {
            lock.unlock();
        }
    }

    private void forgetTheEldest() {
        for (Iterator<CompletableFuture<String>> all = inputs.values().iterator(); all.hasNext() && kept > KEPT; ) {
            var input = all.next();
            if (input.isDone()) {
                kept -= input.join().length() + ENTRY;
                all.remove();
            }
        }
    }

    private void failed(List<UUID> runs, Throwable e) {
        lock.lock();
        try {
            for (UUID run : runs) {
                var input = inputs.remove(run);
                if (input != null) {
                    input.completeExceptionally(e);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** The tasks wait: what heals does not cost them an attempt, unless it takes longer than they have. */
    private void retryLater(List<UUID> runs, DataAccessException e) {
        Duration pause = backoff.next();
        log.warn(
                "{}",
                LogLine.of("run_inputs_not_read")
                        .with("runs", runs.size())
                        .with("retry_in", pause)
                        .with("error", SqlErrors.describe(e)));
        lock.lock();
        try {
            wanted.addAll(runs);
        } finally {
            lock.unlock();
        }
        try {
            Thread.sleep(pause);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException("this thread is never interrupted", interrupted);
        }
    }
}
