package io.pgflow.benchmark;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Measured numbers as people read them: three digits that count. */
final class Quantity {

    private Quantity() {}

    /** A number. */
    static String text(double value) {
        double size = Math.abs(value);
        int decimals = size >= 100 || value == Math.rint(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    /** A number with its unit. */
    static String text(double value, String unit) {
        return unit.isEmpty() ? text(value) : text(value) + " " + unit;
    }

    /** The median of several rounds with their spread; a dash if it was not measured. */
    static String text(@Nullable Figure figure) {
        return figure == null ? "–" : text(figure.median()) + spread(figure.values());
    }

    /** The least and the greatest of several rounds, in brackets; nothing if there was one only. */
    static String spread(List<Double> values) {
        return values.size() < 2
                ? ""
                : " (" + text(Collections.min(values)) + " to " + text(Collections.max(values)) + ")";
    }
}
