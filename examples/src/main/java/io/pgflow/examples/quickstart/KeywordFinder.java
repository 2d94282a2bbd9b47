package io.pgflow.examples.quickstart;

import io.pgflow.examples.quickstart.IndexDocuments.Analysis;
import io.pgflow.examples.quickstart.IndexDocuments.Keywords;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds what each file is about, by TF-IDF: a term weighs as much as it is frequent in its file and rare among the files, here
 * {@code count * ln((files + 1) / files with it)}. It looks at the terms that were kept of each file, so a term that many files
 * have, but few of them often, weighs a little more than it should.
 */
final class KeywordFinder {

    /** How many keywords a file gets. */
    static final int KEYWORDS = 6;

    private KeywordFinder() {}

    /** The keywords of each file, in the order of the files; none for those that could not be read. */
    static List<Keywords> keywords(List<Analysis> files) {
        var filesWith = new HashMap<String, Integer>();
        files.forEach(file -> file.terms().keySet().forEach(term -> filesWith.merge(term, 1, Integer::sum)));
        return files.stream()
                .map(file -> new Keywords(file.path(), heaviest(file.terms(), filesWith, files.size())))
                .toList();
    }

    private static List<String> heaviest(Map<String, Integer> terms, Map<String, Integer> filesWith, int files) {
        var weights = new HashMap<String, Double>();
        terms.forEach((term, count) ->
                weights.put(term, count * Math.log((files + 1.0) / filesWith.getOrDefault(term, files))));
        return weights.entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(KEYWORDS)
                .map(Map.Entry::getKey)
                .toList();
    }
}
