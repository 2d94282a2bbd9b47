package io.pgflow.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 240, threadMode = ThreadMode.SEPARATE_THREAD)
class QuickstartTest {
    /** Enough to take much longer than it takes to stop a process that has done a tenth. */
    private static final int FILES = 3000;

    @TempDir
    Path work;

    @TempDir
    Path folder;

    private final List<QuickstartProcess> started = new ArrayList<>();

    @AfterEach
    void leaveNothingBehind() throws Exception {
        for (QuickstartProcess process : started) {
            process.kill();
        }
        server().ifPresent(ProcessHandle::destroy);
    }

    @Test
    void goesOnWhereItWasKilled() throws Exception {
        List<String> files = writeFiles();

        var first = quickstart(folder.toString());
        first.awaitLine(QuickstartTest::isProgress);
        first.kill();
        Map<Integer, String> doneBefore =
                finishedFiles("127.0.0.1:" + postmaster().get(3) + "/pgflow?user=pgflow");
        assertThat(doneBefore).hasSizeBetween(FILES / 10, FILES - 1);

        var second = quickstart(folder.toString());
        assertThat(second.awaitEnd()).as(second.errors()).isZero();
        assertThat(second.lines())
                .noneMatch(line -> line.matches(".*\\p{Cntrl}.*"))
                .anyMatch(line -> line.startsWith("Resuming run ") && done(line) > doneBefore.size());
        assertThat(reportedFiles()).isEqualTo(files);
        assertThat(server()).isEmpty();

        var third = quickstart("--database");
        String psql = third.awaitLine(line -> line.contains("psql '"));
        assertThat(finishedFiles(psql.replaceFirst(".*'postgresql://(.*)'", "$1")))
                .hasSize(FILES)
                .containsAllEntriesOf(doneBefore);
        third.stop();
        assertThat(third.awaitEnd()).isEqualTo(143);
        assertThat(server()).isEmpty();
    }

    @Test
    void finishesWhatIsInHandWhenItIsStoppedAndGoesOnLater() throws Exception {
        List<String> files = writeFiles();

        var first = quickstart(folder.toString());
        first.awaitLine(QuickstartTest::isProgress);
        first.stop();
        assertThat(first.awaitEnd()).isEqualTo(143);
        assertThat(first.lines()).last().asString().startsWith("Stopping: ");
        assertThat(first.errors()).isEmpty();
        assertThat(server()).isEmpty();

        var second = quickstart(folder.toString());
        assertThat(second.awaitEnd()).isZero();
        assertThat(second.errors()).isEmpty();
        assertThat(second.lines()).anyMatch(line -> line.startsWith("Resuming run "));
        assertThat(reportedFiles()).isEqualTo(files);
    }

    @Test
    void refusesAFolderThatIsNotThereBeforeItStartsAnything() throws Exception {
        var quickstart = quickstart(folder.resolve("none").toString());

        assertThat(quickstart.awaitEnd()).isEqualTo(2);
        assertThat(quickstart.errors()).isEqualTo("quickstart: there is no directory " + folder.resolve("none") + "\n");
        assertThat(work.resolve(".pgflow")).doesNotExist();
    }

    @Test
    void refusesAFolderWithoutTextBeforeItStartsAnything() throws Exception {
        Files.write(folder.resolve("binary.txt"), new byte[100]);

        var quickstart = quickstart(folder.toString());

        assertThat(quickstart.awaitEnd()).isEqualTo(1);
        assertThat(quickstart.errors())
                .startsWith("quickstart: no text file in " + folder + " or below matches ")
                .hasLineCount(1);
        assertThat(work.resolve(".pgflow")).doesNotExist();
    }

    private QuickstartProcess quickstart(String argument) throws IOException {
        var process = QuickstartProcess.start(work, argument);
        started.add(process);
        return process;
    }

    private List<String> writeFiles() throws IOException {
        List<String> names =
                IntStream.range(0, FILES).mapToObj("file-%04d.txt"::formatted).toList();
        for (String name : names) {
            Files.writeString(folder.resolve(name), ("these are the words of " + name + "\n").repeat(100));
        }
        return names;
    }

    private static boolean isProgress(String line) {
        return line.startsWith("analyse: ") && line.contains("%");
    }

    /** How many tasks a line like "Resuming run …: 1,234 of 3,004 tasks are done already" says are done. */
    private static int done(String line) {
        return Integer.parseInt(line.replaceFirst(".*: ([0-9,]+) of .*", "$1").replace(",", ""));
    }

    /** When and in which attempt the files were analysed that were, by the indexes of their tasks. */
    private Map<Integer, String> finishedFiles(String database) throws IOException, SQLException {
        var finished = new HashMap<Integer, String>();
        String password = Files.readString(work.resolve(".pgflow/password")).strip();
        try (var connection = DriverManager.getConnection("jdbc:postgresql://" + database + "&password=" + password);
                var statement = connection.createStatement();
                var tasks = statement.executeQuery("""
                        select task_index, completed_at || ', attempt ' || attempts_count
                          from pgflow.step_tasks
                         where step_slug = 'analyse' and status = 'completed'""")) {
            while (tasks.next()) {
                finished.put(tasks.getInt(1), tasks.getString(2));
            }
        }
        return finished;
    }

    private List<String> reportedFiles() throws IOException {
        return Pattern.compile("<tr><td>([^<]*)</td>")
                .matcher(Files.readString(work.resolve("report.html")))
                .results()
                .map(row -> row.group(1))
                .toList();
    }

    /** The embedded server, if it runs. */
    private Optional<ProcessHandle> server() throws IOException {
        return Files.exists(work.resolve(".pgflow/data/postmaster.pid"))
                ? ProcessHandle.of(Long.parseLong(postmaster().getFirst()))
                : Optional.empty();
    }

    /** What the server says about itself: line 1 is its process, line 4 its port. */
    private List<String> postmaster() throws IOException {
        return Files.readAllLines(work.resolve(".pgflow/data/postmaster.pid"));
    }
}
