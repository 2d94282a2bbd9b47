package io.pgflow.benchmark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** Draws a row of figures as SVG: a bar for each, as long as the median, with a line from the least to the greatest. */
final class BarChart {
    private static final int WIDTH = 720;
    private static final int LINE = 24;
    private static final int LABELS = 210;
    private static final int VALUES = 100;
    private static final int MARGIN = 12;

    /** How charts look, on a page and in a file. */
    static final String STYLE = """
            svg { font: 12px system-ui, sans-serif }
            svg rect { fill: #3e63dd } svg line { stroke: #222 } svg .title { font-weight: 600 }""";

    private BarChart() {}

    /** Whether there is anything to compare. */
    static boolean draws(Report.Row row) {
        return row.cells().size() > 1;
    }

    /** For a page. */
    static String svg(Report.Row row) {
        return "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n%s\n</svg>"
                .formatted(WIDTH, height(row), title(row), content(row));
    }

    /** A file with some of them, one below the other. */
    static String file(String about, List<Report.Row> rows) {
        var charts = new ArrayList<String>();
        int y = MARGIN;
        for (var row : rows) {
            charts.add("<g transform=\"translate(%d %d)\">\n%s\n</g>".formatted(MARGIN, y, content(row)));
            y += height(row) + MARGIN;
        }
        return """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %1$d %2$d" role="img" aria-label="%3$s">
                <style>
                %4$s
                </style>
                <rect style="fill: #fff" width="%1$d" height="%2$d"/>
                %5$s
                </svg>
                """.formatted(WIDTH + 2 * MARGIN, y, HtmlReport.escape(about), STYLE, String.join("\n", charts));
    }

    private static int height(Report.Row row) {
        return LINE * (row.cells().size() + 1);
    }

    private static String title(Report.Row row) {
        return HtmlReport.escape(row.name() + ", " + row.unit());
    }

    private static String content(Report.Row row) {
        double greatest = row.cells().values().stream()
                .mapToDouble(figure -> Collections.max(figure.values()))
                .max()
                .orElse(0);
        double scale = greatest > 0 ? (WIDTH - LABELS - VALUES) / greatest : 0;
        var lines = new ArrayList<String>();
        lines.add("<text class=\"title\" x=\"0\" y=\"16\">%s</text>".formatted(title(row)));
        int y = LINE;
        for (var cell : row.cells().entrySet()) {
            var values = cell.getValue().values();
            double median = cell.getValue().median();
            double least = LABELS + scale * Collections.min(values);
            double most = LABELS + scale * Collections.max(values);
            lines.add("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>"
                    .formatted(LABELS - 10, y + 15, HtmlReport.escape(cell.getKey())));
            lines.add("<rect x=\"%d\" y=\"%d\" width=\"%s\" height=\"16\" rx=\"2\"/>"
                    .formatted(LABELS, y + 3, decimal(Math.max(1, scale * median))));
            lines.add("<line x1=\"%s\" x2=\"%s\" y1=\"%d\" y2=\"%d\"/>"
                    .formatted(decimal(least), decimal(most), y + 11, y + 11));
            lines.add("<text x=\"%s\" y=\"%d\">%s</text>"
                    .formatted(decimal(Math.max(most, LABELS + 1) + 8), y + 15, Quantity.text(median)));
            y += LINE;
        }
        return String.join("\n", lines);
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
