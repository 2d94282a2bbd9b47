package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** Micrometer is optional: nothing but its binder needs it. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(180)
class WithoutMicrometerTest {

    /** A program that has a listener, and no Micrometer. */
    static final class Program {
        public static void main(String[] args) throws InterruptedException {
            try {
                Class.forName("io.micrometer.core.instrument.MeterRegistry");
                throw new AssertionError("Micrometer is there");
            } catch (ClassNotFoundException e) {
                // as it should be
            }
            var builder = Flow.of("unmetered", String.class);
            var only = builder.step("only", String.class, s -> s + s);
            var flow = builder.build();
            var recorder = new Recorder();
            try (var workers = Workers.connect(args[0], args[1], args[2])
                    .listener(recorder)
                    .start(flow)) {
                var end = workers.client().await(workers.client().start(flow, "x"), TestFlows.LIMIT);
                recorder.await(WorkerEvent.RunCompleted.class);
                System.out.println(end.of(only) + " of " + WorkerOptions.class.getMethods().length + " methods");
            }
        }
    }

    @Test
    void workersWork(PGSimpleDataSource database) throws Exception {
        var classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("micrometer-"))
                .collect(Collectors.joining(File.pathSeparator));
        var program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-preview",
                        "-cp",
                        classPath,
                        Program.class.getName(),
                        database.getURL(),
                        Objects.requireNonNull(database.getUser()),
                        Objects.requireNonNullElse(database.getPassword(), ""))
                .redirectError(Redirect.INHERIT)
                .start();
        try {
            var said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(program.waitFor(2, TimeUnit.MINUTES)).isTrue();
            assertThat(said).contains("xx of ");
            assertThat(program.exitValue()).isZero();
        } finally {
            program.destroyForcibly();
        }
    }
}
