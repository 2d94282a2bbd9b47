package io.pgflow.examples.quickstart;

import io.pgflow.examples.quickstart.IndexDocuments.Analysis;
import io.pgflow.examples.quickstart.IndexDocuments.Duplicates;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.Collectors;

/** Finds files of equal content, by their hashes. Empty files are equal too; unreadable ones are equal to nothing. */
final class DuplicateFinder {

    private DuplicateFinder() {}

    /** The groups of two and more, each with its paths, in the order of the files. */
    static List<Duplicates> duplicates(List<Analysis> files) {
        return files.stream()
                .filter(Analysis::readable)
                .collect(Collectors.groupingBy(
                        Analysis::sha256, LinkedHashMap::new, Collectors.mapping(Analysis::path, Collectors.toList())))
                .entrySet()
                .stream()
                .filter(group -> group.getValue().size() > 1)
                .map(group -> new Duplicates(group.getKey(), group.getValue()))
                .toList();
    }
}
