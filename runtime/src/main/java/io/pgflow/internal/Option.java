package io.pgflow.internal;

import io.pgflow.PgflowException;
import io.pgflow.WorkerOptions.Compile;
import io.pgflow.WorkerOptions.FailedStart;
import io.pgflow.WorkerOptions.SignalStrategy;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An option of the workers: its names in code and in the environment, what it may be, and what it is where nothing is set. The README's table shows
 * all of them.
 *
 * @param <T> its values
 */
public final class Option<T> {

    /** The first part of the workers' names. */
    public static final Option<String> NAME = new Option<>(
            "name",
            "what the workers' names begin with, in logs and thread names; the flow's slug follows",
            "pgflow",
            "pgflow",
            "1 to 40 letters, digits, dots, hyphens and underscores",
            text -> text,
            Pattern.compile("[A-Za-z0-9._-]{1,40}").asMatchPredicate());

    /** The id of the one worker. */
    public static final Option<UUID> WORKER_ID = new Option<>(
            "workerId",
            "the worker's id, where there is only one flow",
            null,
            "random",
            "a UUID",
            UUID::fromString,
            id -> true);

    /** How many tasks of a flow run at once. */
    public static final Option<Integer> CONCURRENCY =
            number("concurrency", "tasks of each flow that run at once in this process", 10, "10", 1, 100_000);

    /** How many tasks one statement claims. */
    public static final Option<Integer> BATCH_SIZE = number(
            "batchSize",
            "the most tasks that one claim takes",
            null,
            "`concurrency`, at most 200",
            1,
            200); // more are no faster, and hold locks longer

    /** How long tasks in hand may go on after a stop. */
    public static final Option<Duration> GRACE = duration(
            "grace",
            "how long tasks in hand may go on after a stop, before they are interrupted and handed back",
            Duration.ofSeconds(30),
            Duration.ZERO,
            Duration.ofHours(24));

    /** How a worker learns of new messages. */
    public static final Option<SignalStrategy> SIGNAL_STRATEGY = choice(
            "signalStrategy",
            "how workers learn of new tasks",
            SignalStrategy.class,
            null,
            "notify where the queue can, else polling",
            Set.of());

    /** The least pause of a worker that polls. */
    public static final Option<Duration> MIN_POLL_INTERVAL = duration(
            "minPollInterval",
            "the shortest pause between polls that find nothing, where tasks are not announced",
            Duration.ofSeconds(1),
            Duration.ofMillis(10),
            Duration.ofMinutes(5));

    /** The longest pause of a worker that polls. */
    public static final Option<Duration> MAX_POLL_INTERVAL = duration(
            "maxPollInterval",
            "the longest such pause; not below `minPollInterval`",
            Duration.ofSeconds(5),
            Duration.ofMillis(10),
            Duration.ofMinutes(5));

    /** The longest pause of a worker that is told. */
    public static final Option<Duration> NOTIFY_FALLBACK = duration(
            "notifyFallback",
            "the longest pause between polls where tasks are announced",
            Duration.ofSeconds(30),
            Duration.ofMillis(100),
            Duration.ofMinutes(10));

    /** The least time between two announcements. */
    public static final Option<Duration> NOTIFY_THROTTLE = duration(
            "notifyThrottle",
            "the least time between two announcements of a queue, 0 for one each insert; one that somebody set before stays",
            Duration.ofMillis(10),
            Duration.ZERO,
            Duration.ofMinutes(1));

    /** How often a worker says that it lives. */
    public static final Option<Duration> HEARTBEAT_INTERVAL = duration(
            "heartbeatInterval",
            "between two heartbeats; three missed ones make an orphan",
            Duration.ofSeconds(4),
            Duration.ofMillis(100),
            Duration.ofMinutes(1));

    /** How often abandoned tasks are looked for. */
    public static final Option<Duration> RECOVERY_INTERVAL = duration(
            "recoveryInterval",
            "between two sweeps for tasks that nobody works on",
            Duration.ofSeconds(5),
            Duration.ofMillis(100),
            Duration.ofMinutes(5));

    /** What a start may do about a flow that is not in the database as it is in the code. */
    public static final Option<Compile> COMPILE = choice(
            "compile",
            "what a start may do about flows: write `missing` ones, or only `verify`; in code also `RECOMPILE`, which drops runs",
            Compile.class,
            Compile.MISSING,
            "missing",
            EnumSet.of(Compile.RECOMPILE));

    /** What becomes of the others where a flow cannot be served. */
    public static final Option<FailedStart> FAILED_START = choice(
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

    private final String name;
    private final String meaning;
    private final @Nullable T unset;
    private final String unsetText;
    private final String allowed;
    private final Function<String, T> parser;
    private final Predicate<T> valid;

    private Option(
            String name,
            String meaning,
            @Nullable T unset,
            String unsetText,
            String allowed,
            Function<String, T> parser,
            Predicate<T> valid) {
        this.name = name;
        this.meaning = meaning;
        this.unset = unset;
        this.unsetText = unsetText;
        this.allowed = allowed;
        this.parser = parser;
        this.valid = valid;
    }

    private static Option<Integer> number(
            String name, String meaning, @Nullable Integer unset, String unsetText, int least, int most) {
        return new Option<>(
                name,
                meaning,
                unset,
                unsetText,
                least + " to " + most,
                Integer::valueOf,
                number -> least <= number && number <= most);
    }

    private static Option<Duration> duration(
            String name, String meaning, Duration unset, Duration least, Duration most) {
        return new Option<>(
                name,
                meaning,
                unset,
                Durations.format(unset),
                Durations.format(least) + " to " + Durations.format(most),
                Durations::parse,
                time -> time.compareTo(least) >= 0 && time.compareTo(most) <= 0);
    }

    private static <E extends Enum<E>> Option<E> choice(
            String name, String meaning, Class<E> type, @Nullable E unset, String unsetText, Set<E> inCodeOnly) {
        var choices = Arrays.stream(type.getEnumConstants())
                .filter(choice -> !inCodeOnly.contains(choice))
                .collect(Collectors.toMap(Option::text, Function.identity()));
        return new Option<>(
                name,
                meaning,
                unset,
                unsetText,
                Arrays.stream(type.getEnumConstants())
                        .map(Option::text)
                        .filter(choices::containsKey)
                        .collect(Collectors.joining(" or ")),
                text -> Optional.ofNullable(choices.get(text.toLowerCase(Locale.ROOT)))
                        .orElseThrow(IllegalArgumentException::new),
                choice -> true);
    }

    /** What it is where nothing is set; empty if that depends on other things. */
    Optional<T> unset() {
        return Optional.ofNullable(unset);
    }

    /** Its variable. */
    String variable() {
        return "PGFLOW_" + name.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
    }

    /** Whether it can be set by the environment: an id is no two processes' in common. */
    private boolean inEnvironment() {
        return this != (Object) WORKER_ID;
    }

    /**
     * The value, if it may have it.
     *
     * @throws PgflowException.InvalidOption if not
     */
    public T checked(T value) {
        if (!valid.test(value)) {
            throw refused(name, text(value));
        }
        return value;
    }

    /**
     * The value that the environment sets; empty if it sets none.
     *
     * @throws PgflowException.InvalidOption if it sets one that it may not have
     */
    Optional<T> in(Map<String, String> environment) {
        String text = environment.get(variable());
        if (text == null || text.isBlank() || !inEnvironment()) {
            return Optional.empty();
        }
        try {
            T value = parser.apply(text.strip());
            if (valid.test(value)) {
                return Optional.of(value);
            }
        } catch (IllegalArgumentException e) {
            // told below
        }
        throw refused(variable(), text);
    }

    private PgflowException.InvalidOption refused(String option, String value) {
        boolean time = unset instanceof Duration;
        return new PgflowException.InvalidOption(
                option, value, time ? allowed + ", written like 500ms, 30s, 5m, 1h or PT30S" : allowed);
    }

    /** Its line in the README's table. */
    String row() {
        return "| `%s` | %s | %s | %s | %s |"
                .formatted(name, inEnvironment() ? "`" + variable() + "`" : "", meaning, unsetText, allowed);
    }

    private static String text(Object value) {
        return switch (value) {
            case Duration time -> Durations.format(time);
            case Enum<?> choice -> choice.name().toLowerCase(Locale.ROOT);
            default -> value.toString();
        };
    }

    @Override
    public String toString() {
        return name;
    }
}
