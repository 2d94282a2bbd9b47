package io.pgflow.internal;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.regex.Pattern;

/** Durations as people write them: {@code 500ms}, {@code 30s}, {@code 5m}, {@code 1h}. */
final class Durations {

    private static final Pattern PLAIN = Pattern.compile("(\\d{1,12})\\s*(ms|s|m|h)");

    private Durations() {}

    /**
     * Reads one.
     *
     * @param text as above, or as ISO 8601 has it: {@code PT30S}
     * @throws IllegalArgumentException if it is neither
     */
    static Duration parse(String text) {
        var plain = PLAIN.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (plain.matches()) {
            long number = Long.parseLong(plain.group(1));
            return switch (plain.group(2)) {
                case "ms" -> Duration.ofMillis(number);
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                default -> Duration.ofHours(number);
            };
        }
        try {
            return Duration.parse(text.strip());
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** Writes one in the largest unit of which it is a multiple; one that has parts of milliseconds as ISO 8601 has it. */
    static String format(Duration duration) {
        long millis = Math.clamp(duration.toSeconds(), -1_000_000_000_000L, 1_000_000_000_000L) * 1000
                + duration.toMillisPart();
        if (!Duration.ofMillis(millis).equals(duration)) {
            return duration.toString();
        }
        if (millis % 1000 != 0) {
            return millis + "ms";
        }
        long seconds = millis / 1000;
        if (seconds % 60 != 0) {
            return seconds + "s";
        }
        if (seconds == 0) {
            return "0s";
        }
        return seconds % 3600 == 0 ? seconds / 3600 + "h" : seconds / 60 + "m";
    }
}
