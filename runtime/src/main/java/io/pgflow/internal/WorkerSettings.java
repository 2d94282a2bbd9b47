package io.pgflow.internal;

import io.pgflow.Flow;
import io.pgflow.PgflowException;
import io.pgflow.WorkerOptions.Compile;
import io.pgflow.WorkerOptions.FailedStart;
import io.pgflow.WorkerOptions.SignalStrategy;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** How workers work: a value for each {@link Option}, checked. Immutable. */
public final class WorkerSettings {

    private static final int LARGEST_BATCH = 200;

    private final Map<Option<?>, Object> values;

    private WorkerSettings(Map<Option<?>, Object> values) {
        this.values = Map.copyOf(values);
    }

    /**
     * What the environment sets, else what the code has set.
     *
     * @throws PgflowException.InvalidOption if a variable has a value that its option may not have, or two options contradict each other
     */
    public static WorkerSettings of(Map<Option<?>, Object> code, Map<String, String> environment) {
        var values = new HashMap<>(code);
        for (Option<?> option : Options.ALL) {
            option.in(environment).ifPresent(value -> values.put(option, value));
        }
        var settings = new WorkerSettings(values);
        if (settings.minPollInterval().compareTo(settings.maxPollInterval()) > 0) {
            throw new PgflowException.InvalidOption(
                    Options.MIN_POLL_INTERVAL.toString(),
                    Durations.format(settings.minPollInterval()),
                    "at most maxPollInterval, which is " + Durations.format(settings.maxPollInterval()));
        }
        return settings;
    }

    @SuppressWarnings("unchecked") // WorkerOptions puts an option's own values only
    private <T> Optional<T> find(Option<T> option) {
        return Optional.ofNullable((T) values.get(option)).or(option::unset);
    }

    private <T> T get(Option<T> option) {
        return find(option).orElseThrow();
    }

    /** The name of a worker, for threads and logs. */
    String name(Flow<?> flow) {
        return get(Options.NAME) + "-" + flow.slug();
    }

    /** The id of the only worker; empty for a random one. */
    Optional<UUID> workerId() {
        return find(Options.WORKER_ID);
    }

    /** The most tasks of a flow that run at once in this process. */
    int concurrency() {
        return get(Options.CONCURRENCY);
    }

    /** The most tasks that one claim takes. */
    int batchSize() {
        return Math.min(concurrency(), find(Options.BATCH_SIZE).orElse(LARGEST_BATCH));
    }

    /** How long tasks in hand may go on after a stop. */
    Duration grace() {
        return get(Options.GRACE);
    }

    /** How to learn of new tasks; empty for the best way that the queue has. */
    Optional<SignalStrategy> signalStrategy() {
        return find(Options.SIGNAL_STRATEGY);
    }

    /** The shortest pause of a worker to which nothing is announced. */
    Duration minPollInterval() {
        return get(Options.MIN_POLL_INTERVAL);
    }

    /** The longest pause of such a worker. */
    Duration maxPollInterval() {
        return get(Options.MAX_POLL_INTERVAL);
    }

    /** The longest pause of a worker whose queue announces messages. */
    Duration notifyFallback() {
        return get(Options.NOTIFY_FALLBACK);
    }

    /** The least time between two announcements of a queue, unless somebody has set another. */
    Duration notifyThrottle() {
        return get(Options.NOTIFY_THROTTLE);
    }

    /** Between two heartbeats; three missed ones make an orphan. */
    Duration heartbeatInterval() {
        return get(Options.HEARTBEAT_INTERVAL);
    }

    /** How long a worker may be silent before others take its tasks. */
    Duration orphanedAfter() {
        return heartbeatInterval().multipliedBy(3);
    }

    /** Between two sweeps for tasks that nobody works on any more. */
    Duration recoveryInterval() {
        return get(Options.RECOVERY_INTERVAL);
    }

    /** What a start may do about a flow that is not in the database as it is in the code. */
    Compile compile() {
        return get(Options.COMPILE);
    }

    /** What becomes of the others where a flow cannot be served. */
    FailedStart failedStart() {
        return get(Options.FAILED_START);
    }
}
