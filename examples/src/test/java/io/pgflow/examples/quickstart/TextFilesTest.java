package io.pgflow.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.examples.quickstart.IndexDocuments.Corpus;
import io.pgflow.examples.quickstart.IndexDocuments.Document;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextFilesTest {
    @TempDir
    Path folder;

    @Test
    void areListedSortedByTheirPathsFromTheFolder() throws IOException {
        write("z.txt", "last");
        write("a/deep/b.java", "class B {}");
        write("README.md", "# first");

        assertThat(list()).containsExactly("README.md", "a/deep/b.java", "z.txt");
    }

    @Test
    void areThoseOfThePattern() throws IOException {
        write("a.txt", "text");
        write("b/a.txt", "text");
        write("a.log", "text");

        assertThat(TextFiles.list(new Corpus(folder.toString(), "*.txt")))
                .containsExactly(new Document(folder.toString(), "a.txt"));
        assertThat(list()).containsExactly("a.txt", "b/a.txt");
    }

    @Test
    void areNotLookedForInHiddenFoldersNorInWhatToolsMake() throws IOException {
        for (String path : List.of(".git/a.txt", ".a.txt", "target/a.txt", "x/build/a.txt", "x/node_modules/y/a.txt")) {
            write(path, "text");
        }

        assertThat(list()).isEmpty();
        assertThat(TextFiles.any(corpus())).isFalse();
    }

    @Test
    void areFoundInAFolderThatIsItselfHidden() throws IOException {
        write(".hidden/a.txt", "text");

        assertThat(TextFiles.list(new Corpus(folder.resolve(".hidden").toString(), TextFiles.PATTERN)))
                .hasSize(1);
    }

    @Test
    void areNoBinariesAndInNoOtherEncoding() throws IOException {
        write("binary.txt", "zero \0 byte");
        Files.write(folder.resolve("latin1.txt"), "Grüße".getBytes(StandardCharsets.ISO_8859_1));
        write("utf8.txt", "Grüße");

        assertThat(list()).containsExactly("utf8.txt");
    }

    @Test
    void areRecognisedAlsoWhereACharacterIsCutByTheEndOfWhatIsLookedAt() throws IOException {
        write("long.txt", "x" + "ü".repeat(8000));

        assertThat(list()).containsExactly("long.txt");
    }

    @Test
    void areNotReachedByLinks() throws IOException {
        write("a.txt", "text");
        Files.createSymbolicLink(folder.resolve("link.txt"), folder.resolve("a.txt"));
        Files.createSymbolicLink(folder.resolve("loop"), folder);

        assertThat(list()).containsExactly("a.txt");
    }

    @Test
    void areThereAsSoonAsThereIsOne() throws IOException {
        write("a/b.txt", "text");
        write("c.txt", "text");

        assertThat(TextFiles.any(corpus())).isTrue();
    }

    @Test
    void cannotBeListedInAFolderThatIsNotThere() {
        assertThatThrownBy(() -> TextFiles.list(new Corpus(folder.resolve("no").toString(), TextFiles.PATTERN)))
                .isInstanceOf(NoSuchFileException.class);
    }

    private Corpus corpus() {
        return new Corpus(folder.toString(), TextFiles.PATTERN);
    }

    private List<String> list() throws IOException {
        return TextFiles.list(corpus()).stream().map(Document::path).toList();
    }

    private void write(String path, String text) throws IOException {
        Path file = folder.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
