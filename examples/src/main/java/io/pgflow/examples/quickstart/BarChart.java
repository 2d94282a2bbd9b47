package io.pgflow.examples.quickstart;

import java.util.List;

/** Draws horizontal bars as SVG. */
final class BarChart {
    private static final int WIDTH = 720;
    private static final int ROW = 26;
    private static final int LABELS = 110;
    private static final int VALUES = 90;

    private BarChart() {}

    /**
     * One bar.
     *
     * @param value zero or more
     */
    record Bar(String label, long value) {}

    /** An {@code <svg>} element, the bars from top to bottom, the greatest as long as there is room. */
    static String svg(String title, List<Bar> bars) {
        long greatest = bars.stream().mapToLong(Bar::value).max().orElse(0);
        var svg = new StringBuilder("<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n"
                .formatted(WIDTH, ROW * bars.size(), Html.escape(title)));
        for (int i = 0; i < bars.size(); i++) {
            Bar bar = bars.get(i);
            long width = greatest == 0 ? 0 : Math.round((double) (WIDTH - LABELS - VALUES) * bar.value() / greatest);
            svg.append("""
                    <text x="%d" y="%d" text-anchor="end">%s</text>\
                    <rect x="%d" y="%d" width="%d" height="18" rx="2"/>\
                    <text class="value" x="%d" y="%d">%s</text>
                    """.formatted(
                            LABELS - 10,
                            ROW * i + 18,
                            Html.escape(bar.label()),
                            LABELS,
                            ROW * i + 4,
                            Math.max(width, 1),
                            LABELS + Math.max(width, 1) + 8,
                            ROW * i + 18,
                            Numbers.of(bar.value())));
        }
        return svg.append("</svg>\n").toString();
    }
}
