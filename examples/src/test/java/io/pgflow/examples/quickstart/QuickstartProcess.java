package io.pgflow.examples.quickstart;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** The quickstart in a JVM of its own, as the script starts it: with the embedded database, in a folder of its own. For one thread. */
final class QuickstartProcess {
    private final Process process;
    private final BufferedReader out;
    private final Path err;
    private final List<String> printed = new ArrayList<>();

    private QuickstartProcess(Process process, Path err) {
        this.process = process;
        this.out = process.inputReader();
        this.err = err;
    }

    static QuickstartProcess start(Path workingDirectory, String argument) throws IOException {
        Path err = workingDirectory.resolve("stderr.txt");
        var builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-preview",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Quickstart.class.getName(),
                        argument)
                .directory(workingDirectory.toFile())
                .redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("PGFLOW_"));
        return new QuickstartProcess(builder.start(), err);
    }

    /** Waits for a line on stdout. */
    String awaitLine(Predicate<String> sought) throws IOException {
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            printed.add(line);
            if (sought.test(line)) {
                return line;
            }
        }
        throw new AssertionError("it ended without that line: " + printed + ", " + errors());
    }

    /** Waits for the end; the exit status. */
    int awaitEnd() throws IOException, InterruptedException {
        out.lines().forEach(printed::add);
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            throw new AssertionError("it does not end: " + printed + ", " + errors());
        }
        return process.exitValue();
    }

    /** What it has printed on stdout, as far as it was waited for. */
    List<String> lines() {
        return printed;
    }

    String errors() throws IOException {
        return Files.readString(err);
    }

    /** As {@code kill -9} does. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** As {@code kill} and Ctrl-C do. */
    void stop() {
        process.toHandle().destroy(); // the process itself would close its streams
    }
}
