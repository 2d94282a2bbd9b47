package io.pgflow.benchmark;

import java.util.List;

/**
 * A number to reach.
 *
 * @param what is to reach it
 * @param bound which side of the limit is the good one
 * @param limit in the unit
 * @param unit of the limit and the values
 * @param values what was measured, one for each round; none if nothing was
 */
public record Goal(String what, Bound bound, double limit, String unit, List<Double> values) {

    /** Which side of the limit is the good one. */
    public enum Bound {
        /** The measured value must not be less. */
        AT_LEAST("≥"),
        /** The measured value must not be more. */
        AT_MOST("≤");

        private final String sign;

        Bound(String sign) {
            this.sign = sign;
        }
    }

    /** What became of it. */
    public enum Verdict {
        /** The median is on the good side. */
        HOLDS,
        /** It is not. */
        MISSES,
        /** There are no values. */
        NOT_MEASURED;

        @Override
        public String toString() {
            return switch (this) {
                case HOLDS -> "holds";
                case MISSES -> "misses";
                case NOT_MEASURED -> "not measured";
            };
        }
    }

    /** Copies the values. */
    public Goal {
        values = List.copyOf(values);
    }

    /** The measured values must not be less than the limit. */
    public static Goal atLeast(double limit, String unit, String what, List<Double> values) {
        return new Goal(what, Bound.AT_LEAST, limit, unit, values);
    }

    /** The measured values must not be more than the limit. */
    public static Goal atMost(double limit, String unit, String what, List<Double> values) {
        return new Goal(what, Bound.AT_MOST, limit, unit, values);
    }

    /** The same in percent, of values that are ratios. */
    public static Goal atLeastPercent(double limit, String what, List<Double> ratios) {
        return atLeast(
                limit, "%", what, ratios.stream().map(ratio -> 100 * ratio).toList());
    }

    /** What is wanted, as text. */
    public String wanted() {
        return bound.sign + " " + Quantity.text(limit, unit);
    }

    /** What was measured, as text: the median, and the spread of the rounds. */
    public String measured() {
        return values.isEmpty() ? "–" : Quantity.text(Figure.median(values), unit) + Quantity.spread(values);
    }

    /** Whether the median holds it. */
    public Verdict verdict() {
        if (values.isEmpty()) {
            return Verdict.NOT_MEASURED;
        }
        double median = Figure.median(values);
        return switch (bound) {
            case AT_LEAST -> median >= limit ? Verdict.HOLDS : Verdict.MISSES;
            case AT_MOST -> median <= limit ? Verdict.HOLDS : Verdict.MISSES;
        };
    }
}
