package io.pgflow.benchmark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** A report to be kept beside the code. */
final class MarkdownReport {

    private MarkdownReport() {}

    /** All of it; the plots are files beside it. */
    static String of(Report report, List<String> plots) {
        var text = new StringBuilder("# ").append(report.title()).append("\n\n");
        report.facts().forEach((name, value) -> text.append("- %s: %s%n".formatted(name, value)));
        plots.forEach(plot -> text.append(
                "%n![%s](%s)%n".formatted(plot.replaceFirst("\\.svg$", "").replace('-', ' '), plot)));
        text.append("%n## Numbers to reach%n%n".formatted());
        text.append(table(
                List.of("number to reach", "wanted", "measured", ""),
                report.goals().stream().map(MarkdownReport::goal).toList()));
        for (var section : report.sections()) {
            text.append("%n## %s%n%n".formatted(section.name()));
            text.append(table(
                    Stream.concat(Stream.of(""), section.columns().stream()).toList(),
                    section.rows().stream()
                            .map(row -> line(row, section.columns()))
                            .toList()));
        }
        return text.toString();
    }

    private static List<String> goal(Goal goal) {
        var verdict = goal.verdict() == Goal.Verdict.HOLDS ? "%s" : "**%s**";
        return List.of(goal.what(), goal.wanted(), goal.measured(), verdict.formatted(goal.verdict()));
    }

    private static List<String> line(Report.Row row, List<String> columns) {
        var line = new ArrayList<String>();
        line.add(row.unit().isEmpty() ? row.name() : row.name() + " (" + row.unit() + ")");
        columns.forEach(column -> line.add(Quantity.text(row.cells().get(column))));
        return line;
    }

    private static String table(List<String> head, List<List<String>> lines) {
        var text = new StringBuilder();
        for (var line : Stream.concat(Stream.of(head, Collections.nCopies(head.size(), "---")), lines.stream())
                .toList()) {
            text.append("| ").append(String.join(" | ", line)).append(" |\n");
        }
        return text.toString();
    }
}
