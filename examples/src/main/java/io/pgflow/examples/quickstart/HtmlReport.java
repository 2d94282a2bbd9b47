package io.pgflow.examples.quickstart;

import io.pgflow.examples.quickstart.BarChart.Bar;
import io.pgflow.examples.quickstart.IndexDocuments.Analysis;
import io.pgflow.examples.quickstart.IndexDocuments.Corpus;
import io.pgflow.examples.quickstart.IndexDocuments.Duplicates;
import io.pgflow.examples.quickstart.IndexDocuments.Keywords;
import io.pgflow.examples.quickstart.IndexDocuments.Summary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes the findings as one HTML file that needs no other.
 *
 * @param file where to; replaced in one go, so that a reader never sees half of it
 */
record HtmlReport(Path file) {
    private static final int BARS = 12;

    /** Writes the report. */
    Summary write(Corpus corpus, List<Analysis> files, List<Keywords> keywords, List<Duplicates> duplicates)
            throws IOException {
        var summary = new Summary(
                file.toString(),
                files.size(),
                (int) files.stream().filter(one -> !one.readable()).count(),
                files.stream().mapToLong(Analysis::lines).sum(),
                files.stream().mapToLong(Analysis::words).sum(),
                duplicates.size());
        // bytes and not characters: what a file system calls a name is not always valid Unicode
        byte[] page = page(corpus, summary, files, keywords, duplicates).getBytes(StandardCharsets.UTF_8);
        Path draft = file.resolveSibling(file.getFileName() + ".part");
        Files.write(draft, page);
        Files.move(draft, file, StandardCopyOption.REPLACE_EXISTING);
        return summary;
    }

    private static String page(
            Corpus corpus,
            Summary summary,
            List<Analysis> files,
            List<Keywords> keywords,
            List<Duplicates> duplicates) {
        return """
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width">
                <title>Index of %s</title>
                <style>
                %s</style>
                </head>
                <body>
                <h1>Index of %s</h1>
                %s<h2>Words by kind of file</h2>
                %s%s<h2>Files</h2>
                %s<footer>Files matching <code>%s</code></footer>
                </body>
                </html>
                """.formatted(
                        Html.escape(corpus.directory()),
                        css(),
                        Html.escape(corpus.directory()),
                        totals(summary),
                        BarChart.svg("Words by kind of file", wordsByKind(files)),
                        equalFiles(duplicates),
                        table(files, keywords),
                        Html.escape(corpus.pattern()));
    }

    private static String totals(Summary summary) {
        return """
                <dl>
                <div><dt>Files</dt><dd>%s</dd></div>
                <div><dt>Unreadable</dt><dd>%s</dd></div>
                <div><dt>Lines</dt><dd>%s</dd></div>
                <div><dt>Words</dt><dd>%s</dd></div>
                <div><dt>Groups of equal files</dt><dd>%s</dd></div>
                </dl>
                """.formatted(
                        Numbers.of(summary.files()),
                        Numbers.of(summary.unreadable()),
                        Numbers.of(summary.lines()),
                        Numbers.of(summary.words()),
                        Numbers.of(summary.duplicateGroups()));
    }

    /** A bar for each ending of a file's name, the longest first; those that find no room are one bar together. */
    private static List<Bar> wordsByKind(List<Analysis> files) {
        Map<String, Long> words = files.stream()
                .collect(Collectors.groupingBy(file -> kind(file.path()), Collectors.summingLong(Analysis::words)));
        List<Bar> bars = words.entrySet().stream()
                .map(kind -> new Bar(kind.getKey(), kind.getValue()))
                .sorted(Comparator.comparingLong(Bar::value).reversed().thenComparing(Bar::label))
                .toList();
        if (bars.size() <= BARS) {
            return bars;
        }
        List<Bar> rest = bars.subList(BARS - 1, bars.size());
        var others = new Bar(
                rest.size() + " others", rest.stream().mapToLong(Bar::value).sum());
        return Stream.concat(bars.stream().limit(BARS - 1), Stream.of(others)).toList();
    }

    private static String kind(String path) {
        int dot = path.lastIndexOf('.');
        return dot > path.lastIndexOf('/') ? path.substring(dot) : "no ending";
    }

    private static String equalFiles(List<Duplicates> duplicates) {
        if (duplicates.isEmpty()) {
            return "";
        }
        return duplicates.stream()
                .map(group -> group.paths().stream().map(HtmlReport::path).collect(Collectors.joining("<br>")))
                .collect(Collectors.joining(
                        "</li>\n<li>",
                        "<details>\n<summary>Equal files: " + Numbers.of(duplicates.size(), "group")
                                + "</summary>\n<ul>\n<li>",
                        "</li>\n</ul>\n</details>\n"));
    }

    private static String table(List<Analysis> files, List<Keywords> keywords) {
        Map<String, Keywords> keywordsOf =
                keywords.stream().collect(Collectors.toMap(Keywords::path, Function.identity()));
        return files.stream()
                .map(file -> row(file, Objects.requireNonNull(keywordsOf.get(file.path()))))
                .collect(Collectors.joining("", """
                        <table>
                        <thead><tr><th>File</th><th class="number">Lines</th><th class="number">Words</th><th>Keywords</th></tr></thead>
                        <tbody>
                        """, "</tbody>\n</table>\n"));
    }

    private static String row(Analysis file, Keywords keywords) {
        return file.readable()
                ? """
                <tr><td>%s</td><td class="number">%s</td><td class="number">%s</td><td class="keywords">%s</td></tr>
                """.formatted(
                                path(file.path()),
                                Numbers.of(file.lines()),
                                Numbers.of(file.words()),
                                Html.escape(String.join(", ", keywords.terms())))
                : """
                <tr class="unreadable"><td>%s</td><td colspan="3">could not be read as UTF-8 text</td></tr>
                """.formatted(path(file.path()));
    }

    /** A path, which lines may break after its folders. */
    private static String path(String path) {
        return Html.escape(path).replace("/", "/<wbr>");
    }

    private static String css() {
        try (var css = Objects.requireNonNull(HtmlReport.class.getResourceAsStream("report.css"))) {
            return new String(css.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
