package io.pgflow.benchmark;

import java.util.stream.Collectors;

/** A report for the browser: one page that needs nothing else. */
final class HtmlReport {

    private HtmlReport() {}

    /** All of it. */
    static String of(Report report) {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width"/>
                <title>%1$s</title>
                <style>
                body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 72em; margin: 2em auto; padding: 0 1em }
                table { border-collapse: collapse; font-size: 13px; margin: 1em 0 }
                th, td { text-align: left; padding: .25em .8em; border-bottom: 1px solid #ddd; vertical-align: top }
                td.number { text-align: right; white-space: nowrap }
                small { color: #777 }
                .holds { color: #18794e } .misses { color: #b42318; font-weight: 600 }
                svg { width: 100%%; max-width: 46em; display: block; margin: 1em 0 }
                %5$s
                </style>
                </head>
                <body>
                <h1>%1$s</h1>
                <h2>Numbers to reach</h2>
                <table>
                <thead><tr><th>What</th><th>Wanted</th><th>Measured</th><th></th></tr></thead>
                <tbody>
                %2$s
                </tbody>
                </table>
                %3$s
                <h2>What this holds for</h2>
                <table>
                %4$s
                </table>
                </body>
                </html>
                """.formatted(
                        escape(report.title()),
                        report.goals().stream().map(HtmlReport::goal).collect(Collectors.joining("\n")),
                        report.sections().stream().map(HtmlReport::section).collect(Collectors.joining("\n")),
                        report.facts().entrySet().stream()
                                .map(fact -> "<tr><th>%s</th><td>%s</td></tr>"
                                        .formatted(escape(fact.getKey()), escape(fact.getValue())))
                                .collect(Collectors.joining("\n")),
                        BarChart.STYLE);
    }

    private static String goal(Goal goal) {
        return "<tr><td>%s</td><td class=\"number\">%s</td><td class=\"number\">%s</td><td class=\"%s\">%s</td></tr>"
                .formatted(
                        escape(goal.what()),
                        escape(goal.wanted()),
                        escape(goal.measured()),
                        goal.verdict().toString().replace(' ', '-'),
                        goal.verdict());
    }

    private static String section(Report.Section section) {
        var columns = section.columns();
        return """
                <h2>%s</h2>
                <table>
                <thead><tr><th></th><th></th>%s</tr></thead>
                <tbody>
                %s
                </tbody>
                </table>
                %s""".formatted(
                        escape(section.name()),
                        columns.stream()
                                .map(column -> "<th>" + escape(column) + "</th>")
                                .collect(Collectors.joining()),
                        section.rows().stream()
                                .map(row -> "<tr><td>%s</td><td>%s</td>%s</tr>"
                                        .formatted(
                                                escape(row.name()),
                                                escape(row.unit()),
                                                columns.stream()
                                                        .map(column -> cell(row, column))
                                                        .collect(Collectors.joining())))
                                .collect(Collectors.joining("\n")),
                        section.rows().stream()
                                .filter(BarChart::draws)
                                .map(BarChart::svg)
                                .collect(Collectors.joining("\n")));
    }

    private static String cell(Report.Row row, String column) {
        var figure = row.cells().get(column);
        return figure == null
                ? "<td class=\"number\">–</td>"
                : "<td class=\"number\">%s<small>%s</small></td>"
                        .formatted(Quantity.text(figure.median()), Quantity.spread(figure.values()));
    }

    /** A text for between tags, or for an attribute in quotes. */
    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
