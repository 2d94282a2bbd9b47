package io.pgflow.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Workers;
import io.pgflow.examples.FulfilOrder.Order;
import io.pgflow.testing.TestDatabases;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows is compiled, and does what it says. */
@ExtendWith(TestDatabases.class)
class ReadmeTest {

    private static final Path ROOT = Path.of("..");

    @Test
    void showsTheExampleAsItIs() throws Exception {
        var source = Files.readString(ROOT.resolve("examples/src/main/java/io/pgflow/examples/FulfilOrder.java"));
        var example = source.substring(source.indexOf("final class FulfilOrder"));

        assertThat(Files.readString(ROOT.resolve("README.md"))).contains("```java\n" + example + "```");
    }

    @Test
    void saysWhatTheExamplePrints(DataSource database) throws Exception {
        var flow = FulfilOrder.flow();
        try (var workers = Workers.connect(database).start(flow)) {
            var run = workers.client().start(flow, new Order("o-1", 4200, List.of("tea", "cups", "pot")));
            var end = workers.client().await(run, Duration.ofMinutes(1));

            assertThat(Files.readString(ROOT.resolve("README.md")))
                    .contains("`" + end.output().orElseThrow() + "`");
        }
    }

    /** Each block by itself, with the names that its reader has: they mean the same in all of them. */
    @Test
    void showsLinesThatCompile(@TempDir Path folder) throws Exception {
        var blocks = Pattern.compile("^```java\n(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE)
                .matcher(Files.readString(ROOT.resolve("README.md")))
                .results()
                .map(block -> "{" + block.group(1) + "}")
                .collect(Collectors.joining("\n"));
        assertThat(blocks).contains("class FulfilOrder", "Client.connect", "WorkerMetrics");
        var source = Files.writeString(folder.resolve("Shown.java"), """
                package io.pgflow.examples;

                import io.micrometer.core.instrument.MeterRegistry;
                import io.pgflow.*;
                import io.pgflow.examples.FulfilOrder.*;
                import java.time.Duration;
                import java.util.*;

                interface Shown {
                    static void all(String url, Flow<Order> flow, Flow<String> invoices, Step<Confirmation> confirm,
                            Order order, List<Order> orders, MeterRegistry registry) throws Exception {
                        %s
                    }
                }
                """.formatted(blocks));

        var messages = new ByteArrayOutputStream();
        int status = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        messages,
                        messages,
                        "-proc:none",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-d",
                        folder.toString(),
                        source.toString());

        assertThat(status).as(messages.toString(StandardCharsets.UTF_8)).isZero();
    }
}
