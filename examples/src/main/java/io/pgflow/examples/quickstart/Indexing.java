package io.pgflow.examples.quickstart;

import io.pgflow.Client;
import io.pgflow.PgflowException;
import io.pgflow.PgflowException.RunUnfinished;
import io.pgflow.RunState;
import io.pgflow.RunningWorkers;
import io.pgflow.StepState;
import io.pgflow.Workers;
import io.pgflow.examples.quickstart.IndexDocuments.Corpus;
import io.pgflow.examples.quickstart.IndexDocuments.Summary;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;

/**
 * Starts the workers and a run, or goes on with one that was interrupted, and tells how it goes. The run is in the database, and
 * so is every task that was finished: nothing is kept here.
 */
final class Indexing {
    private static final Duration LOOK = Duration.ofMillis(100);

    private final IndexDocuments documents;
    private final Display display;

    Indexing(IndexDocuments documents, Display display) {
        this.documents = documents;
        this.display = display;
    }

    /**
     * Indexes a folder and says what came of it. Returns early when a signal stops the program.
     *
     * @param command what to call to look at it in SQL
     * @throws PgflowException if nothing came of it
     */
    void run(Corpus corpus, String command) throws InterruptedException {
        display.line("Indexing the text files of " + corpus.directory());
        try (RunningWorkers workers = Workers.start(documents.flow())) {
            Client client = workers.client();
            Optional<UUID> unfinished = client.unfinished(documents.flow(), corpus);
            UUID run = unfinished.orElseGet(() -> client.start(documents.flow(), corpus));
            int doneBefore = unfinished.isPresent() ? resumed(run, client.steps(run)) : 0;
            Summary summary =
                    Objects.requireNonNull(follow(client, run, doneBefore).of(documents.report()));
            display.line(totals(summary));
            display.line("");
            display.line("Report  " + summary.report());
            display.line("Run     " + run);
            display.line("In SQL");
            display.line(SqlHint.ended(command, workers.databaseUrl()));
        } catch (RuntimeException e) {
            if (!display.isStopped()) { // else the database was closed under us, as it should be
                throw e;
            }
        }
    }

    private int resumed(UUID run, List<StepState> steps) {
        int done = Progress.done(steps);
        display.line("Resuming run %s: %s of %s are done already"
                .formatted(run, Numbers.of(done), Numbers.of(Progress.tasks(steps), "task")));
        return done;
    }

    /** Shows the run until it ends, and then what this program did for it. */
    private RunState.Completed follow(Client client, UUID run, int doneBefore) throws InterruptedException {
        var pace = Pace.from(doneBefore);
        while (true) {
            try {
                var completed = client.await(run, LOOK);
                List<StepState> steps = completed.steps();
                display.progress(steps, pace.tasksPerSecond(steps));
                display.line("");
                display.line("Done in %s: %s, %s a second"
                        .formatted(
                                Numbers.seconds(pace.time()),
                                Numbers.of(pace.tasks(steps), "task"),
                                Numbers.of(pace.tasksPerSecond(steps))));
                return completed;
            } catch (PgflowException e) {
                List<StepState> steps = client.steps(run);
                display.progress(steps, pace.tasksPerSecond(steps));
                if (!(e instanceof RunUnfinished)) {
                    throw e;
                }
            }
        }
    }

    private static String totals(Summary summary) {
        var totals = new StringBuilder("%s with %s and %s; %s of equal content"
                .formatted(
                        Numbers.of(summary.files(), "file"),
                        Numbers.of(summary.lines(), "line"),
                        Numbers.of(summary.words(), "word"),
                        Numbers.of(summary.duplicateGroups(), "group")));
        if (summary.unreadable() > 0) {
            totals.append("; ").append(Numbers.of(summary.unreadable())).append(" could not be read");
        }
        return totals.toString();
    }

    /** Keeps the database open until a signal stops the program. */
    void keepDatabase() throws InterruptedException {
        try (RunningWorkers workers = Workers.start(documents.flow())) {
            display.line("The database is open until Ctrl-C. From this folder:");
            display.line(SqlHint.connected(workers.databaseUrl()));
            new CountDownLatch(1).await();
        }
    }
}
