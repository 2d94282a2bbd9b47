package io.pgflow.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A report for the terminal. */
final class TextReport {

    private TextReport() {}

    /** All of it. */
    static String of(Report report) {
        var text = new StringBuilder();
        report.facts().forEach((name, value) -> text.append("%s: %s%n".formatted(name, value)));
        for (var section : report.sections()) {
            text.append("%n%s%n".formatted(section.name()));
            text.append(table(rows(section)));
        }
        text.append("%nNumbers to reach%n".formatted());
        var goals = new ArrayList<List<String>>();
        for (var goal : report.goals()) {
            goals.add(List.of(goal.verdict().toString(), goal.wanted(), goal.measured(), goal.what()));
        }
        return text.append(table(goals)).toString();
    }

    private static List<List<String>> rows(Report.Section section) {
        var columns = section.columns();
        var lines = new ArrayList<List<String>>();
        var head = new ArrayList<String>();
        head.add("");
        head.add("");
        head.addAll(columns);
        lines.add(head);
        for (var row : section.rows()) {
            var line = new ArrayList<String>();
            line.add(row.name());
            line.add(row.unit());
            for (var column : columns) {
                line.add(Quantity.text(row.cells().get(column)));
            }
            lines.add(line);
        }
        return lines;
    }

    private static String table(List<List<String>> lines) {
        if (lines.isEmpty()) {
            return "";
        }
        var widths = IntStream.range(0, lines.getFirst().size())
                .map(column -> lines.stream()
                        .mapToInt(line -> line.get(column).length())
                        .max()
                        .orElse(0))
                .toArray();
        var text = new StringBuilder();
        for (var line : lines) {
            var padded = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                padded.append("  ")
                        .append(line.get(column))
                        .repeat(" ", widths[column] - line.get(column).length());
            }
            text.append(padded.toString().stripTrailing()).append(System.lineSeparator());
        }
        return text.toString();
    }
}
