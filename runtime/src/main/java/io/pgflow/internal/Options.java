package io.pgflow.internal;

import io.pgflow.WorkerOptions.Compile;
import io.pgflow.WorkerOptions.FailedStart;
import io.pgflow.WorkerOptions.SignalStrategy;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/** The options of the workers. The README's table shows all of them. */
public final class Options {

    /** The first part of the workers' names. */
    public static final Option<String> NAME = Option.text(
            "name",
            "what the workers' names begin with, in logs and thread names; the flow's slug follows",
            "pgflow",
            "1 to 40 letters, digits, dots, hyphens and underscores",
            Pattern.compile("[A-Za-z0-9._-]{1,40}"));

    /** The id of the one worker. */
    public static final Option<UUID> WORKER_ID = Option.id(
            "workerId",
            "the worker's id, where there is only one flow; a start with the same id takes its tasks back at once, so no two processes may have the same");

    /** How many tasks of a flow run at once. */
    public static final Option<Integer> CONCURRENCY =
            Option.number("concurrency", "tasks of each flow that run at once in this process", 10, "10", 1, 100_000);

    /** How many tasks one statement claims. */
    public static final Option<Integer> BATCH_SIZE = Option.number(
            "batchSize",
            "the most tasks that one claim takes",
            null,
            "`concurrency`, at most 200",
            1,
            200); // more are no faster, and hold locks longer

    /** How long tasks in hand may go on after a stop. */
    public static final Option<Duration> GRACE = Option.duration(
            "grace",
            "how long tasks in hand may go on after a stop, before they are interrupted and handed back",
            Duration.ofSeconds(30),
            Duration.ZERO,
            Duration.ofHours(24));

    /** How a worker learns of new messages. */
    public static final Option<SignalStrategy> SIGNAL_STRATEGY = Option.choice(
            "signalStrategy",
            "how workers learn of new tasks",
            SignalStrategy.class,
            null,
            "notify where the queue can, else polling",
            Set.of());

    /** The least pause of a worker that polls. */
    public static final Option<Duration> MIN_POLL_INTERVAL = Option.duration(
            "minPollInterval",
            "the shortest pause between polls that find less than there are free slots, where tasks are not announced",
            Duration.ofSeconds(1),
            Duration.ofMillis(10),
            Duration.ofMinutes(5));

    /** The longest pause of a worker that polls. */
    public static final Option<Duration> MAX_POLL_INTERVAL = Option.duration(
            "maxPollInterval",
            "the longest such pause; not below `minPollInterval`",
            Duration.ofSeconds(5),
            Duration.ofMillis(10),
            Duration.ofMinutes(5));

    /** The longest pause of a worker that is told. */
    public static final Option<Duration> NOTIFY_FALLBACK = Option.duration(
            "notifyFallback",
            "the longest pause between polls where tasks are announced",
            Duration.ofSeconds(30),
            Duration.ofMillis(100),
            Duration.ofMinutes(10));

    /** The least time between two announcements. */
    public static final Option<Duration> NOTIFY_THROTTLE = Option.duration(
            "notifyThrottle",
            "the least time between two announcements of a queue, `0s` for one each insert; a value that is in the database already is kept",
            Duration.ofMillis(10),
            Duration.ZERO,
            Duration.ofMinutes(1));

    /** How often a worker says that it lives. */
    public static final Option<Duration> HEARTBEAT_INTERVAL = Option.duration(
            "heartbeatInterval",
            "between two heartbeats; three missed ones make an orphan",
            Duration.ofSeconds(4),
            Duration.ofMillis(100),
            Duration.ofMinutes(1));

    /** How often abandoned tasks are looked for. */
    public static final Option<Duration> RECOVERY_INTERVAL = Option.duration(
            "recoveryInterval",
            "between two sweeps for tasks that nobody works on",
            Duration.ofSeconds(5),
            Duration.ofMillis(100),
            Duration.ofMinutes(5));

    /** What a start may do about a flow that is not in the database as it is in the code. */
    public static final Option<Compile> COMPILE = Option.choice(
            "compile",
            "what a start may do about schema and flows: write what is `missing`, or only `verify`; in code also `RECOMPILE`, which replaces flows of another shape and deletes all their runs",
            Compile.class,
            Compile.MISSING,
            "missing",
            EnumSet.of(Compile.RECOMPILE));

    /** What becomes of the others where a flow cannot be served. */
    public static final Option<FailedStart> FAILED_START = Option.choice(
            "failedStart",
            "what follows when one of several flows cannot be served",
            FailedStart.class,
            FailedStart.STOP_ALL,
            "stop_all",
            Set.of());

    /** All, as the README lists them. */
    public static final List<Option<?>> ALL = List.of(
            CONCURRENCY,
            BATCH_SIZE,
            GRACE,
            NAME,
            WORKER_ID,
            SIGNAL_STRATEGY,
            MIN_POLL_INTERVAL,
            MAX_POLL_INTERVAL,
            NOTIFY_FALLBACK,
            NOTIFY_THROTTLE,
            HEARTBEAT_INTERVAL,
            RECOVERY_INTERVAL,
            COMPILE,
            FAILED_START);

    private Options() {}
}
