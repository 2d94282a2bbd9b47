package io.pgflow.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.examples.quickstart.IndexDocuments.Analysis;
import io.pgflow.examples.quickstart.IndexDocuments.Corpus;
import io.pgflow.examples.quickstart.IndexDocuments.Duplicates;
import io.pgflow.examples.quickstart.IndexDocuments.Keywords;
import io.pgflow.examples.quickstart.IndexDocuments.Summary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HtmlReportTest {
    @TempDir
    Path folder;

    @Test
    void sumsUpWhatIsInTheFiles() throws IOException {
        var files = List.of(file("a.md", 10, 1000), file("b.md", 5, 500), unreadable("c.md"));

        Summary summary = write(files, List.of(new Duplicates("f00d", List.of("a.md", "b.md"))));

        assertThat(summary).isEqualTo(new Summary(report().toString(), 3, 1, 15, 1500, 1));
        assertThat(Files.readString(report()))
                .contains("<dd>1,500</dd>", "<td>a.md</td>", "could not be read", "a.md<br>b.md");
    }

    @Test
    void showsNamesAsTheyAreAndNotAsMarkup() throws IOException {
        write(List.of(file("<script>&'\".md", 1, 1)), List.of());

        assertThat(Files.readString(report()))
                .doesNotContain("<script")
                .contains("<td>&lt;script&gt;&amp;&#39;&quot;.md</td>");
    }

    @Test
    void needsNothingFromElsewhere() throws IOException {
        write(List.of(file("a.md", 1, 1)), List.of());

        assertThat(Files.readString(report())).doesNotContainPattern("(?i)\\b(src|href)=|url\\(|@import");
    }

    @Test
    void drawsABarForEachKindOfFileTheLongestFirst() throws IOException {
        write(
                List.of(file("a.md", 1, 1), file("b.java", 1, 300), file("c.java", 1, 100), file("x.y/Makefile", 1, 7)),
                List.of());

        assertThat(labels()).containsExactly(".java", "no ending", ".md");
    }

    @Test
    void drawsOneBarForAllKindsThatFindNoRoom() throws IOException {
        write(IntStream.range(0, 30).mapToObj(i -> file("a.k" + i, 1, 100 - i)).toList(), List.of());

        assertThat(labels()).hasSize(12).endsWith(".k10", "19 others");
    }

    @Test
    void isReplacedByTheNextAndLeavesNothingElse() throws IOException {
        write(List.of(file("old.md", 1, 1)), List.of());
        write(List.of(file("new.md", 1, 1)), List.of());

        assertThat(Files.readString(report())).contains("new.md").doesNotContain("old.md");
        try (var left = Files.list(folder)) {
            assertThat(left).containsExactly(report());
        }
    }

    private Summary write(List<Analysis> files, List<Duplicates> duplicates) throws IOException {
        List<Keywords> keywords = files.stream()
                .map(file -> new Keywords(file.path(), List.of("keyword")))
                .toList();
        return new HtmlReport(report()).write(new Corpus("/some/folder", "*.md"), files, keywords, duplicates);
    }

    private Path report() {
        return folder.resolve("report.html");
    }

    private List<String> labels() throws IOException {
        return Pattern.compile("text-anchor=\"end\">([^<]*)<")
                .matcher(Files.readString(report()))
                .results()
                .map(label -> label.group(1))
                .toList();
    }

    private static Analysis file(String path, long lines, long words) {
        return new Analysis(path, true, lines, words, "", Map.of());
    }

    private static Analysis unreadable(String path) {
        return new Analysis(path, false, 0, 0, "", Map.of());
    }
}
