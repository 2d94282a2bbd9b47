package io.pgflow.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.examples.quickstart.IndexDocuments.Analysis;
import io.pgflow.examples.quickstart.IndexDocuments.Document;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnalyserTest {
    @TempDir
    Path folder;

    @Test
    void countsLinesAndWordsAndTerms() throws Exception {
        Analysis analysis = analyse("The cat saw the other cat.\n\n  run_id2 and 2nd, a of\tübung");

        assertThat(analysis.lines()).isEqualTo(3);
        assertThat(analysis.words()).isEqualTo(12);
        assertThat(analysis.terms())
                .isEqualTo(Map.of("the", 2, "cat", 2, "saw", 1, "other", 1, "run_id2", 1, "and", 1, "übung", 1));
    }

    @Test
    void countsALineThatNothingEnds() throws Exception {
        assertThat(analyse("").lines()).isZero();
        assertThat(analyse("one").lines()).isEqualTo(1);
        assertThat(analyse("one\n").lines()).isEqualTo(1);
        assertThat(analyse("one\ntwo").lines()).isEqualTo(2);
    }

    @Test
    void hashesTheBytes() throws Exception {
        assertThat(analyse("abc").sha256())
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    @Test
    void countsWhatIsLongerThanItsBufferInOnePiece() throws Exception {
        Analysis analysis = analyse("word ".repeat(100_000));

        assertThat(analysis.words()).isEqualTo(100_000);
        assertThat(analysis.terms()).isEqualTo(Map.of("word", 100_000));
    }

    @Test
    void keepsTheMostFrequentTermsOnly() throws Exception {
        String rare = IntStream.range(0, 200).mapToObj(i -> "rare" + i).collect(Collectors.joining(" "));

        Analysis analysis = analyse(rare + " often often " + rare.replace("rare", "other"));

        assertThat(analysis.terms()).hasSize(Analyser.TERMS).containsEntry("often", 2);
    }

    @Test
    void passesOverTermsOfUnlikelyLength() throws Exception {
        assertThat(analyse("ab " + "x".repeat(41) + " abc").terms()).isEqualTo(Map.of("abc", 1));
    }

    @Test
    void reportsAFileThatIsGoneAsUnreadable() throws Exception {
        assertThat(Analyser.analyse(new Document(folder.toString(), "gone.txt")))
                .isEqualTo(new Analysis("gone.txt", false, 0, 0, "", Map.of()));
    }

    @Test
    void reportsAFileThatIsNoUtf8AfterAllAsUnreadable() throws Exception {
        Files.write(folder.resolve("a.txt"), new byte[] {'a', ' ', (byte) 0xFF, ' ', 'b'});

        assertThat(Analyser.analyse(new Document(folder.toString(), "a.txt")))
                .isEqualTo(new Analysis("a.txt", false, 0, 0, "", Map.of()));
    }

    @Test
    void failsWhenInterruptedForThatSaysNothingAboutTheFile() throws Exception {
        Files.writeString(folder.resolve("a.txt"), "text");
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> Analyser.analyse(new Document(folder.toString(), "a.txt")))
                .isInstanceOf(InterruptedException.class);
    }

    private Analysis analyse(String text) throws Exception {
        Files.writeString(folder.resolve("a.txt"), text);
        return Analyser.analyse(new Document(folder.toString(), "a.txt"));
    }
}
