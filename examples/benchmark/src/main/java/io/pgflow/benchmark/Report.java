package io.pgflow.benchmark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;

/**
 * What a run of the benchmark found.
 *
 * @param title what it was
 * @param facts machine, versions, command, settings: what the numbers hold for
 * @param goals the numbers to reach
 * @param figures all that was measured
 */
record Report(String title, SequencedMap<String, String> facts, List<Goal> goals, List<Figure> figures) {

    /** Figures that are shown together: what was measured as rows, with what or how large as columns. */
    record Section(String name, List<Row> rows) {
        /** The columns of all rows, in the order in which they first came. */
        List<String> columns() {
            SequencedSet<String> columns = new LinkedHashSet<>();
            rows.forEach(row -> columns.addAll(row.cells().sequencedKeySet()));
            return List.copyOf(columns);
        }
    }

    /** Figures of the same kind, by column. */
    record Row(String name, String unit, SequencedMap<String, Figure> cells) {}

    /** The figures as tables. */
    List<Section> sections() {
        Map<String, LinkedHashMap<String, SequencedMap<String, Figure>>> tables = new LinkedHashMap<>();
        for (var figure : figures) {
            tables.computeIfAbsent(figure.name().section(), name -> new LinkedHashMap<>())
                    .computeIfAbsent(figure.name().row(), name -> new LinkedHashMap<>())
                    .put(figure.name().column(), figure);
        }
        var sections = new ArrayList<Section>();
        tables.forEach((name, rows) -> {
            var list = new ArrayList<Row>();
            rows.forEach((row, cells) ->
                    list.add(new Row(row, cells.firstEntry().getValue().unit(), cells)));
            sections.add(new Section(name, list));
        });
        return sections;
    }

    /** What can be drawn, by the part of sections' names until a colon; the rest is in the rows' names. */
    SequencedMap<String, List<Row>> plots() {
        var plots = new LinkedHashMap<String, List<Row>>();
        for (var section : sections()) {
            var name = section.name().split(": ", 2);
            for (var row : section.rows()) {
                if (BarChart.draws(row)) {
                    var title = name.length > 1 ? name[1] + ": " + row.name() : row.name();
                    plots.computeIfAbsent(name[0], part -> new ArrayList<>())
                            .add(new Row(title, row.unit(), row.cells()));
                }
            }
        }
        return plots;
    }
}
