package io.pgflow.benchmark;

import io.pgflow.benchmark.Figure.Name;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** All figures, in the order in which they were first measured. For one thread. */
public final class Results {
    private final Map<Name, Figure> figures = new LinkedHashMap<>();

    /** Adds the value of one more round. */
    public void add(Name name, String unit, double value) {
        var values = new ArrayList<>(values(name));
        values.add(value);
        figures.put(name, new Figure(name, unit, values));
    }

    /** The figures. */
    public List<Figure> figures() {
        return List.copyOf(figures.values());
    }

    /** The values of a figure, one for each round; none if it was not measured. */
    public List<Double> values(Name name) {
        var figure = figures.get(name);
        return figure == null ? List.of() : figure.values();
    }

    /**
     * One figure as a multiple of another, round by round: a machine that slows down between two rounds changes no ratio.
     *
     * @return none if either was not measured
     */
    public List<Double> ratio(Name above, Name below) {
        var dividends = values(above);
        var divisors = values(below);
        return IntStream.range(0, Math.min(dividends.size(), divisors.size()))
                .mapToObj(round -> dividends.get(round) / divisors.get(round))
                .toList();
    }
}
