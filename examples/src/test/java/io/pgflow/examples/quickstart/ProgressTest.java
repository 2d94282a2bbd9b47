package io.pgflow.examples.quickstart;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.StepState;
import io.pgflow.StepState.Status;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
    private final IndexDocuments documents = new IndexDocuments(Path.of("report.html"));

    @Test
    void onATerminalIsALineForEachStepWithABarForTheMap() {
        live(UTF_8).show(steps(250), 1234);

        assertThat(lines(UTF_8))
                .containsExactly(
                        "  list_files   done  1.5 s",
                        "  analyse      ███████░░░░░░░░░░░░░░░░░░░░░  250 of 1,000  1,234/s",
                        "  keywords     waits",
                        "  duplicates   waits",
                        "  report       waits");
    }

    @Test
    void onATerminalIsDrawnInItsPlaceAgain() {
        var live = live(UTF_8);

        live.show(steps(250), 1);
        assertThat(text(UTF_8)).doesNotContain("\u001b[5A");
        live.show(steps(500), 1);

        assertThat(text(UTF_8)).containsOnlyOnce("\u001b[5A");
    }

    @Test
    void onATerminalIsDrawnBelowWhatWasPrintedMeanwhile() {
        var live = live(UTF_8);
        var other = live.beside(new PrintStream(screen, true, UTF_8));

        live.show(steps(250), 1);
        other.println("a warning");
        live.show(steps(500), 1);

        assertThat(text(UTF_8)).contains("a warning").doesNotContain("\u001b[5A");
    }

    @Test
    void onATerminalWithoutBlocksIsDrawnInAscii() {
        live(US_ASCII).show(steps(250), 1);

        assertThat(lines(US_ASCII).get(1)).isEqualTo("  analyse      #######.....................  250 of 1,000  1/s");
    }

    @Test
    void elsewhereIsALineForEachStepThatEndedAndEachTenthOfOneThatGoesOn() {
        var plain = new PlainProgress(new PrintStream(screen, true, UTF_8));

        plain.show(steps(0), 1);
        plain.show(steps(250), 1);
        plain.show(steps(251), 1);
        plain.show(steps(999), 1);
        plain.show(steps(1000), 1);

        assertThat(text(UTF_8)).isEqualToNormalizingNewlines("""
                        list_files: done, 1 task in 1.5 s
                        analyse: 20 % of 1,000 tasks
                        analyse: 90 % of 1,000 tasks
                        analyse: done, 1,000 tasks in 1.5 s
                        """);
    }

    @Test
    void countsTheTasksThatAreKnownSoFar() {
        assertThat(Progress.tasks(steps(250))).isEqualTo(1001);
        assertThat(Progress.done(steps(250))).isEqualTo(251);
    }

    private LiveProgress live(Charset charset) {
        return new LiveProgress(documents.flow(), new PrintStream(screen, true, charset));
    }

    private String text(Charset charset) {
        return screen.toString(charset);
    }

    private List<String> lines(Charset charset) {
        return text(charset).replaceAll("\u001b\\[[0-9]*[A-Z]|\r", "").lines().toList();
    }

    /** The steps of the flow while the map is on its way, or has ended. */
    private static List<StepState> steps(int analysed) {
        return List.of(
                step("list_files", Status.COMPLETED, 1, 1),
                step("analyse", analysed == 1000 ? Status.COMPLETED : Status.STARTED, 1000, analysed),
                waiting("keywords"),
                waiting("duplicates"),
                waiting("report"));
    }

    private static StepState step(String slug, Status status, int tasks, int done) {
        Optional<Instant> end = status == Status.COMPLETED ? Optional.of(START.plusMillis(1500)) : Optional.empty();
        return new StepState(
                slug, status, OptionalInt.of(tasks), tasks - done, Optional.of(START), end, Optional.empty());
    }

    private static StepState waiting(String slug) {
        return new StepState(
                slug, Status.CREATED, OptionalInt.empty(), 0, Optional.empty(), Optional.empty(), Optional.empty());
    }
}
