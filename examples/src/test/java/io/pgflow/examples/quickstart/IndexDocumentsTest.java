package io.pgflow.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.RunState;
import io.pgflow.StepState;
import io.pgflow.StepState.Status;
import io.pgflow.Workers;
import io.pgflow.examples.quickstart.IndexDocuments.Analysis;
import io.pgflow.examples.quickstart.IndexDocuments.Corpus;
import io.pgflow.examples.quickstart.IndexDocuments.Summary;
import io.pgflow.testing.TestDatabases;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(TestDatabases.class)
class IndexDocumentsTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @TempDir
    Path folder;

    @TempDir
    Path elsewhere;

    private IndexDocuments documents = new IndexDocuments(Path.of("report.html"));

    @BeforeEach
    void writeFiles() throws IOException {
        documents = new IndexDocuments(elsewhere.resolve("report.html"));
        Files.writeString(folder.resolve("a.md"), "one two three\nfour\n");
        Files.writeString(folder.resolve("b.md"), "one two three\nfour\n");
        Files.writeString(Files.createDirectory(folder.resolve("ü & co")).resolve("c.txt"), "five\n");
        Files.writeString(folder.resolve("d.txt"), "x".repeat(10_000)); // begins well
        Files.write(folder.resolve("d.txt"), new byte[] {(byte) 0xFF}, java.nio.file.StandardOpenOption.APPEND);
    }

    @Test
    void readsEachFileOnceAndWritesTheReport(DataSource database) throws Exception {
        RunState.Completed run = index(database);

        assertThat(run.of(documents.report()))
                .isEqualTo(new Summary(elsewhere.resolve("report.html").toString(), 4, 1, 5, 9, 1));
        assertThat(run.of(documents.analyse()))
                .extracting(Analysis::path)
                .containsExactly("a.md", "b.md", "d.txt", "ü & co/c.txt");
        assertThat(run.steps()).extracting(StepState::status).containsOnly(Status.COMPLETED);
        assertThat(elsewhere.resolve("report.html")).content().contains("<td>ü &amp; co/<wbr>c.txt</td>");
    }

    @Test
    void canBeLookedAtByTheQueriesThatTheQuickstartTells(DataSource database) throws Exception {
        index(database);

        assertThat(rows(database, SqlHint.QUERIES.getFirst())).isEqualTo(5);
        assertThat(rows(database, SqlHint.QUERIES.getLast())).isEqualTo(4);
    }

    private RunState.Completed index(DataSource database) throws InterruptedException {
        try (var workers = Workers.connect(database).start(documents.flow())) {
            var client = workers.client();
            return client.await(
                    client.start(documents.flow(), new Corpus(folder.toString(), TextFiles.PATTERN)), LIMIT);
        }
    }

    private static int rows(DataSource database, String query) throws SQLException {
        try (var connection = database.getConnection();
                var statement = connection.createStatement();
                var result = statement.executeQuery(query)) {
            int rows = 0;
            while (result.next()) {
                rows++;
            }
            return rows;
        }
    }
}
