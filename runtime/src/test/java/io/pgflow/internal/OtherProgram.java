package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** A program in a JVM of its own that works on the embedded database of a directory until its input ends, or until it is killed. */
final class OtherProgram implements AutoCloseable {
    private static final String OPENED = "opened";

    private final Process process;
    private final BufferedReader output;

    private OtherProgram(Process process) {
        this.process = process;
        this.output = process.inputReader(StandardCharsets.UTF_8);
    }

    public static void main(String[] args) throws IOException {
        try (var database = Database.open(null, null, null, 1, Map.of(), Path.of(args[0]))) {
            System.out.println(OPENED + " " + database.describe());
            while (System.in.read() >= 0) {}
        } catch (PgflowException e) {
            System.out.println(e.getMessage());
        }
    }

    /** Starts one, with what fits of our class path. */
    static OtherProgram start(Path directory, Predicate<String> classPath) throws IOException {
        var path = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(classPath)
                .collect(Collectors.joining(File.pathSeparator));
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new OtherProgram(new ProcessBuilder(
                        java,
                        "-Xmx64m",
                        "--enable-preview",
                        "-cp",
                        path,
                        OtherProgram.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    static OtherProgram start(Path directory) throws IOException {
        return start(directory, entry -> true);
    }

    /** Starts one that has opened the database. */
    static OtherProgram opened(Path directory) throws IOException {
        var program = start(directory);
        var line = program.output.readLine();
        if (line == null || !line.startsWith(OPENED)) {
            throw new IllegalStateException("the other program says: " + line + program.rest());
        }
        return program;
    }

    long pid() {
        return process.pid();
    }

    /** What it has started. */
    List<ProcessHandle> descendants() {
        return process.descendants().toList();
    }

    /** All that it says until it ends by itself. */
    List<String> rest() throws IOException {
        process.getOutputStream().close();
        var lines = new ArrayList<String>();
        for (var line = output.readLine(); line != null; line = output.readLine()) {
            lines.add(line);
        }
        return lines;
    }

    /** As {@code kill -9} does. */
    void kill() {
        process.destroyForcibly().onExit().orTimeout(30, TimeUnit.SECONDS).join();
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        process.onExit().orTimeout(60, TimeUnit.SECONDS).join();
        output.close();
    }
}
