package io.pgflow.trials;

import io.pgflow.TestFlows;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.postgresql.ds.PGSimpleDataSource;

/** A worker in a JVM of its own, which signals reach as they would reach a program. It ends with this. */
final class WorkerProcess implements AutoCloseable {

    private final Process process;
    private final BlockingQueue<String> said = new LinkedBlockingQueue<>();

    private WorkerProcess(Process process) {
        this.process = process;
        Thread.ofPlatform().daemon().name("worker-process").start(() -> {
            try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
                lines.lines().forEach(said::add);
            } catch (UncheckedIOException | IOException e) {
                // it was killed
            }
        });
    }

    /**
     * Starts one.
     *
     * @param main whose {@code main} gets the database's URL, user and password, and the further arguments
     * @param options for the JVM
     */
    static WorkerProcess start(Class<?> main, PGSimpleDataSource database, List<String> options, String... arguments) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-preview", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.add(database.getURL());
        command.add(Objects.requireNonNull(database.getUser()));
        command.add(Objects.requireNonNullElse(database.getPassword(), ""));
        command.addAll(List.of(arguments));
        try {
            return new WorkerProcess(
                    new ProcessBuilder(command).redirectError(Redirect.INHERIT).start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until it has printed the line; what it prints before that is lost. */
    void awaitLine(String line) throws InterruptedException {
        long giveUpAt = System.nanoTime() + TestFlows.LIMIT.toNanos();
        String next;
        do {
            next = said.poll(giveUpAt - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (next == null) {
                throw new AssertionError("not within " + TestFlows.LIMIT + ": " + line);
            }
        } while (!next.contains(line));
    }

    /** Writes a line to its input. */
    void say(String line) {
        try {
            process.outputWriter(StandardCharsets.UTF_8)
                    .append(line)
                    .append('\n')
                    .flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As {@code kill -9} does; returns once it is gone. */
    void kill() {
        process.destroyForcibly()
                .onExit()
                .orTimeout(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS)
                .join();
    }

    /** As {@code kill} does, and who runs it when it shall end. */
    void terminate() {
        signal("TERM");
    }

    /** Waits until it has ended by itself, so long at most; whether it has. */
    boolean endsWithin(Duration limit) throws InterruptedException {
        return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Waits until it has ended by itself, so long at most; gives its exit code. */
    int awaitExit(Duration limit) throws InterruptedException {
        if (!endsWithin(limit)) {
            throw new AssertionError("still running after " + limit);
        }
        return process.exitValue();
    }

    /** Stops it in the middle of whatever it does. */
    void suspend() {
        signal("STOP");
    }

    /** Lets it go on. */
    void resume() {
        signal("CONT");
    }

    private void signal(String name) {
        try {
            var kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .inheritIO()
                    .start();
            if (!kill.waitFor(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS)
                    || (kill.exitValue() != 0 && process.isAlive())) {
                throw new IllegalStateException("kill -" + name + " " + process.pid() + " failed");
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        kill();
    }
}
