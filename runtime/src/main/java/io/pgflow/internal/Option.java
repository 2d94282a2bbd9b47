package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.time.Duration;
import java.util.Arrays;
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
 * An option of the workers: its names in code and in the environment, what it may be, and what it is where nothing is set. {@link Options} has
 * all of them.
 *
 * @param <T> its values
 */
public final class Option<T> {

    private final String name;
    private final String meaning;
    private final @Nullable T unset;
    private final String unsetText;
    private final String allowed;
    private final Function<String, T> parser;
    private final Predicate<T> valid;
    private final boolean inEnvironment;

    private Option(
            String name,
            String meaning,
            @Nullable T unset,
            String unsetText,
            String allowed,
            Function<String, T> parser,
            Predicate<T> valid,
            boolean inEnvironment) {
        this.name = name;
        this.meaning = meaning;
        this.unset = unset;
        this.unsetText = unsetText;
        this.allowed = allowed;
        this.parser = parser;
        this.valid = valid;
        this.inEnvironment = inEnvironment;
    }

    /** An option that is any text of a pattern. */
    static Option<String> text(String name, String meaning, String unset, String allowed, Pattern pattern) {
        return new Option<>(name, meaning, unset, unset, allowed, text -> text, pattern.asMatchPredicate(), true);
    }

    /** An option that differs from process to process: the environment, which many share, does not set it. */
    static Option<UUID> id(String name, String meaning) {
        return new Option<>(name, meaning, null, "random", "a UUID", UUID::fromString, id -> true, false);
    }

    /** An option that is a number, of a default or of one that {@code unsetText} describes. */
    static Option<Integer> number(
            String name, String meaning, @Nullable Integer unset, String unsetText, int least, int most) {
        return new Option<>(
                name,
                meaning,
                unset,
                unsetText,
                least + " to " + most,
                Integer::valueOf,
                number -> least <= number && number <= most,
                true);
    }

    /** An option that is a time. */
    static Option<Duration> duration(String name, String meaning, Duration unset, Duration least, Duration most) {
        return new Option<>(
                name,
                meaning,
                unset,
                Durations.format(unset),
                Durations.format(least) + " to " + Durations.format(most),
                Durations::parse,
                time -> time.compareTo(least) >= 0 && time.compareTo(most) <= 0,
                true);
    }

    /** An option that is one of some words; some of them may be too grave for the environment. */
    static <E extends Enum<E>> Option<E> choice(
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
                choice -> true,
                true);
    }

    /** What it is where nothing is set; empty if that depends on other things. */
    Optional<T> unset() {
        return Optional.ofNullable(unset);
    }

    /** Its variable. */
    String variable() {
        return "PGFLOW_" + name.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
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
        if (text == null || text.isBlank() || !inEnvironment) {
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
                .formatted(name, inEnvironment ? "`" + variable() + "`" : "", meaning, unsetText, allowed);
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
