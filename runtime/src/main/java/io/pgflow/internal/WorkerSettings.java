package io.pgflow.internal;

import io.pgflow.Flow;
import java.time.Duration;

/**
 * How workers work: what {@code WorkerOptions} has collected and checked.
 *
 * @param concurrency the most tasks of a flow that run at once in this process
 * @param grace how long tasks in hand may go on after a stop
 * @param heartbeatInterval three missed beats make an orphan
 * @param recoveryInterval between two sweeps for tasks that nobody works on any more
 * @param minPollInterval the shortest pause of a worker whose queue cannot announce messages
 * @param maxPollInterval the longest pause of such a worker
 * @param notifyThrottle the least time between two announcements of a queue
 * @param notifyFallback the longest pause of a worker whose queue announces messages
 */
public record WorkerSettings(
        int concurrency,
        Duration grace,
        Duration heartbeatInterval,
        Duration recoveryInterval,
        Duration minPollInterval,
        Duration maxPollInterval,
        Duration notifyThrottle,
        Duration notifyFallback) {

    /** What is used where nothing is set. */
    public static WorkerSettings defaults() {
        return new WorkerSettings(
                10,
                Duration.ofSeconds(30),
                Duration.ofSeconds(4),
                Duration.ofSeconds(5),
                Duration.ofSeconds(1),
                Duration.ofSeconds(5),
                Duration.ofMillis(10),
                Duration.ofSeconds(30));
    }

    /** The same with another concurrency. */
    public WorkerSettings withConcurrency(int value) {
        return new WorkerSettings(
                value,
                grace,
                heartbeatInterval,
                recoveryInterval,
                minPollInterval,
                maxPollInterval,
                notifyThrottle,
                notifyFallback);
    }

    /** The same with another grace. */
    public WorkerSettings withGrace(Duration value) {
        return new WorkerSettings(
                concurrency,
                value,
                heartbeatInterval,
                recoveryInterval,
                minPollInterval,
                maxPollInterval,
                notifyThrottle,
                notifyFallback);
    }

    /** The same with another heartbeatInterval. */
    public WorkerSettings withHeartbeatInterval(Duration value) {
        return new WorkerSettings(
                concurrency,
                grace,
                value,
                recoveryInterval,
                minPollInterval,
                maxPollInterval,
                notifyThrottle,
                notifyFallback);
    }

    /** The same with another recoveryInterval. */
    public WorkerSettings withRecoveryInterval(Duration value) {
        return new WorkerSettings(
                concurrency,
                grace,
                heartbeatInterval,
                value,
                minPollInterval,
                maxPollInterval,
                notifyThrottle,
                notifyFallback);
    }

    /** How long a worker may be silent before others take its tasks. */
    Duration orphanedAfter() {
        return heartbeatInterval.multipliedBy(3);
    }

    /** The name of a worker, for threads and logs. */
    String name(Flow<?> flow) {
        return "pgflow-" + flow.slug();
    }
}
