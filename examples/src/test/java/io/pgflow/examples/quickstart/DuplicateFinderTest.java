package io.pgflow.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.examples.quickstart.IndexDocuments.Analysis;
import io.pgflow.examples.quickstart.IndexDocuments.Duplicates;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DuplicateFinderTest {

    @Test
    void groupsFilesOfOneHashInTheirOrder() {
        assertThat(DuplicateFinder.duplicates(List.of(
                        file("a", "f00d"), file("b", "beef"), file("c", "cafe"), file("d", "beef"), file("e", "f00d"))))
                .containsExactly(new Duplicates("f00d", List.of("a", "e")), new Duplicates("beef", List.of("b", "d")));
    }

    @Test
    void leavesUnreadableFilesOut() {
        var unreadable = new Analysis("x", false, 0, 0, "", Map.of());

        assertThat(DuplicateFinder.duplicates(List.of(unreadable, unreadable))).isEmpty();
    }

    private static Analysis file(String path, String sha256) {
        return new Analysis(path, true, 1, 1, sha256, Map.of());
    }
}
