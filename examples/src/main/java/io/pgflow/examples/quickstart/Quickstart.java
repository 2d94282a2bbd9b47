package io.pgflow.examples.quickstart;

import io.pgflow.PgflowException;
import io.pgflow.examples.quickstart.IndexDocuments.Corpus;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The command {@code quickstart}: runs {@link IndexDocuments} over a folder, and shows how it goes. It is called by the script of
 * that name, which sets two system properties: {@code pgflow.examples.command} is the script as it was called, and
 * {@code pgflow.examples.terminal} is true if the output is seen on a terminal that can move its cursor.
 */
public final class Quickstart {
    private static final int DONE = 0;
    private static final int FAILED = 1;
    private static final int MISUSED = 2;

    private final String command = System.getProperty("pgflow.examples.command", "quickstart");
    private final boolean live = Boolean.getBoolean("pgflow.examples.terminal");
    private final PrintStream out = System.out;
    private final PrintStream err = System.err;
    private final IndexDocuments documents =
            new IndexDocuments(Path.of("report.html").toAbsolutePath());

    /** Ends the JVM: with 0 if the report was written, 1 if it was not, and 2 if the arguments make no sense. */
    public static void main(String[] args) throws InterruptedException {
        System.exit(new Quickstart().run(args));
    }

    private int run(String... args) throws InterruptedException {
        try {
            return switch (args.length == 1 ? args[0] : "") {
                case "" -> complain(MISUSED, usage());
                case "-h", "--help" -> help();
                case "--database" -> keepDatabase();
                default -> index(Path.of(args[0]));
            };
        } catch (PgflowException | IOException e) {
            return complain(FAILED, "quickstart: " + e.getMessage());
        }
    }

    /** What is wrong with the folder is said before anything is started. */
    private int index(Path folder) throws IOException, InterruptedException {
        if (!Files.isDirectory(folder)) {
            return complain(MISUSED, "quickstart: there is no directory " + folder);
        }
        var corpus = new Corpus(folder.toRealPath().toString(), TextFiles.PATTERN);
        if (!TextFiles.any(corpus)) {
            return complain(FAILED, "quickstart: no text file in " + folder + " or below matches " + corpus.pattern());
        }
        try (var display =
                display("Stopping: what is in hand is finished first. The same command goes on from there.")) {
            new Indexing(documents, display).run(corpus, command);
        }
        return DONE;
    }

    private int keepDatabase() throws InterruptedException {
        try (var display = display("Stopping the database.")) {
            new Indexing(documents, display).keepDatabase();
        }
        return DONE;
    }

    private Display display(String stopping) {
        if (!live) {
            return new Display(out, new PlainProgress(out), stopping);
        }
        var progress = new LiveProgress(documents.flow(), out);
        System.setErr(progress.beside(err)); // where warnings are logged
        return new Display(out, progress, stopping);
    }

    private int help() {
        out.println(usage());
        return DONE;
    }

    private int complain(int status, String message) {
        err.println(message);
        return status;
    }

    private String usage() {
        return """
                usage: %1$s [DIRECTORY]   indexes the text files of DIRECTORY, or of this repository, into ./report.html
                       %1$s --database    keeps the database in ./.pgflow open, to look at it in SQL""".formatted(command);
    }
}
