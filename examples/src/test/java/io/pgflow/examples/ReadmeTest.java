package io.pgflow.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Workers;
import io.pgflow.examples.FulfilOrder.Order;
import io.pgflow.testing.TestDatabases;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

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
}
