package io.pgflow.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.examples.quickstart.IndexDocuments.Analysis;
import io.pgflow.examples.quickstart.IndexDocuments.Keywords;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class KeywordFinderTest {

    @Test
    void prefersWhatIsFrequentInAFileAndRareInTheOthers() {
        var keywords = KeywordFinder.keywords(List.of(
                file("a", Map.of("the", 9, "queue", 5, "task", 2)),
                file("b", Map.of("the", 9, "cat", 4, "task", 2)),
                file("c", Map.of("the", 9))));

        assertThat(keywords)
                .containsExactly(
                        new Keywords("a", List.of("queue", "the", "task")), // 5 ln 4, 9 ln 4/3, 2 ln 2
                        new Keywords("b", List.of("cat", "the", "task")),
                        new Keywords("c", List.of("the")));
    }

    @Test
    void ordersEquallyWeightyTermsByTheAlphabet() {
        assertThat(KeywordFinder.keywords(List.of(file("a", Map.of("dog", 1, "cat", 1, "ant", 1)))))
                .containsExactly(new Keywords("a", List.of("ant", "cat", "dog")));
    }

    @Test
    void givesAFewToEachFileAndNoneToOnesWithoutTerms() {
        Map<String, Integer> many = IntStream.range(0, 50).boxed().collect(Collectors.toMap(i -> "term" + i, i -> 1));

        var keywords = KeywordFinder.keywords(List.of(file("a", many), file("b", Map.of())));

        assertThat(keywords.getFirst().terms()).hasSize(KeywordFinder.KEYWORDS);
        assertThat(keywords.getLast().terms()).isEmpty();
    }

    private static Analysis file(String path, Map<String, Integer> terms) {
        return new Analysis(path, true, 1, 1, "", terms);
    }
}
