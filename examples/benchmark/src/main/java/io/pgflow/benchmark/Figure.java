package io.pgflow.benchmark;

import java.util.List;

/**
 * What was measured under one name.
 *
 * @param name where it stands
 * @param unit of the values
 * @param values one for each round, in their order
 */
public record Figure(Name name, String unit, List<Double> values) {

    /**
     * Where a figure stands in the report.
     *
     * @param section the table
     * @param row what was measured
     * @param column with what, or how large
     */
    public record Name(String section, String row, String column) {}

    /** Copies the values. */
    public Figure {
        values = List.copyOf(values);
    }

    /** The value in the middle; of two, their mean. */
    double median() {
        return median(values);
    }

    static double median(List<Double> values) {
        var sorted = values.stream().sorted().toList();
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }
}
