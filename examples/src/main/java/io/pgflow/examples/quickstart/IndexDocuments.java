package io.pgflow.examples.quickstart;

import io.pgflow.Flow;
import io.pgflow.Step;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The flow {@code index_documents}, over the text files of a folder.
 *
 * <pre>
 *                              ┌─► keywords ───┐
 * list_files ─► analyse (map) ─┤               ├─► report
 *                              └─► duplicates ─┘
 * </pre>
 *
 * What the steps read and return are records, stored as JSON. The work itself is in plain classes that know nothing of flows.
 */
final class IndexDocuments {

    /** What a run is started with: an absolute folder, and a glob pattern for the paths below it. */
    record Corpus(String directory, String pattern) {}

    /** A file to analyse, by its folder and its path from there; all that its task needs. */
    record Document(String directory, String path) {}

    /**
     * What is in one file.
     *
     * @param readable false if the file was gone, closed to us or no UTF-8; the rest is then zero or empty
     * @param sha256 in hexadecimal
     * @param terms the most frequent ones and how often they occur, at most {@value Analyser#TERMS}
     */
    record Analysis(String path, boolean readable, long lines, long words, String sha256, Map<String, Integer> terms) {}

    /** What a file is about, the weightiest term first. */
    record Keywords(String path, List<String> terms) {}

    /** Files of equal content: two or more paths. */
    record Duplicates(String sha256, List<String> paths) {}

    /** Where the report is, and the totals in it; {@code unreadable} files are among the {@code files}. */
    record Summary(String report, int files, int unreadable, long lines, long words, int duplicateGroups) {}

    private final Flow<Corpus> flow;
    private final Step<List<Analysis>> analyse;
    private final Step<Summary> report;

    /** The flow, for workers that write its report to a file of theirs. */
    IndexDocuments(Path reportFile) {
        var steps = Flow.of("index_documents", Corpus.class).timeout(Duration.ofMinutes(10)); // folders can be large
        var files = steps.list("list_files", Document.class, TextFiles::list);
        analyse = steps.map("analyse", Analysis.class, files, Analyser::analyse); // one task a file
        var keywords = steps.list("keywords", Keywords.class, analyse, KeywordFinder::keywords);
        var duplicates = steps.list("duplicates", Duplicates.class, analyse, DuplicateFinder::duplicates);
        report = steps.step(
                "report",
                Summary.class,
                steps.input(),
                analyse,
                keywords,
                duplicates,
                new HtmlReport(reportFile)::write);
        flow = steps.build();
    }

    Flow<Corpus> flow() {
        return flow;
    }

    Step<List<Analysis>> analyse() {
        return analyse;
    }

    Step<Summary> report() {
        return report;
    }
}
