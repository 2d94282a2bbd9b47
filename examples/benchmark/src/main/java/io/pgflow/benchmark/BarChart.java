package io.pgflow.benchmark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Locale;

/** Draws a row of figures as SVG: a bar for each, as long as the median, with a line from the least to the greatest. */
final class BarChart {
    private static final int WIDTH = 720;
    private static final int LINE = 24;
    private static final int LABELS = 210;
    private static final int VALUES = 100;

    private BarChart() {}

    static String svg(Report.Row row) {
        double greatest = row.cells().values().stream()
                .mapToDouble(figure -> Collections.max(figure.values()))
                .max()
                .orElse(0);
        double scale = greatest > 0 ? (WIDTH - LABELS - VALUES) / greatest : 0;
        var title = HtmlReport.escape(row.name() + ", " + row.unit());
        var lines = new ArrayList<String>();
        lines.add("<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">"
                .formatted(WIDTH, LINE * (row.cells().size() + 1), title));
        lines.add("<text class=\"title\" x=\"0\" y=\"16\">%s</text>".formatted(title));
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
        lines.add("</svg>");
        return String.join("\n", lines);
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
