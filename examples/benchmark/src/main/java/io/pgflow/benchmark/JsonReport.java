package io.pgflow.benchmark;

import java.util.List;
import java.util.stream.Collectors;

/** A report for programs. */
final class JsonReport {

    private JsonReport() {}

    /** All of it, as one JSON object. */
    static String of(Report report) {
        var facts = report.facts().entrySet().stream()
                .map(fact -> "    %s: %s".formatted(string(fact.getKey()), string(fact.getValue())))
                .collect(Collectors.joining(",\n"));
        var goals = report.goals().stream().map(JsonReport::goal).collect(Collectors.joining(",\n"));
        var figures = report.figures().stream().map(JsonReport::figure).collect(Collectors.joining(",\n"));
        return """
                {
                  "title": %s,
                  "facts": {
                %s
                  },
                  "goals": [
                %s
                  ],
                  "figures": [
                %s
                  ]
                }
                """.formatted(string(report.title()), facts, goals, figures);
    }

    private static String goal(Goal goal) {
        return """
                    {"what": %s, "verdict": %s, "bound": %s, "limit": %s, "unit": %s, "values": %s}""".formatted(
                        string(goal.what()),
                        string(goal.verdict().toString()),
                        string(goal.bound().toString()),
                        number(goal.limit()),
                        string(goal.unit()),
                        numbers(goal.values()));
    }

    private static String figure(Figure figure) {
        return """
                    {"section": %s, "row": %s, "column": %s, "unit": %s, "median": %s, "values": %s}""".formatted(
                        string(figure.name().section()),
                        string(figure.name().row()),
                        string(figure.name().column()),
                        string(figure.unit()),
                        number(figure.median()),
                        numbers(figure.values()));
    }

    private static String numbers(List<Double> values) {
        return values.stream().map(JsonReport::number).collect(Collectors.joining(", ", "[", "]"));
    }

    private static String number(double value) {
        return Double.isFinite(value) ? Double.toString(value) : "null";
    }

    private static String string(String text) {
        var json = new StringBuilder("\"");
        text.chars().forEach(character -> {
            if (character == '"' || character == '\\') {
                json.append('\\').append((char) character);
            } else if (character < ' ') {
                json.append("\\u%04x".formatted(character));
            } else {
                json.append((char) character);
            }
        });
        return json.append('"').toString();
    }
}
