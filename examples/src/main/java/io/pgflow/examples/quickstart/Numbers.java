package io.pgflow.examples.quickstart;

import java.time.Duration;
import java.util.Locale;

/** Numbers in English text, whatever the machine speaks. */
final class Numbers {

    private Numbers() {}

    /** As in 1,234. */
    static String of(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** As in "1 task" and "2 tasks". */
    static String of(long number, String noun) {
        return of(number) + " " + noun + (number == 1 ? "" : "s");
    }

    /** As in 0.4 s. */
    static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1000.0);
    }
}
