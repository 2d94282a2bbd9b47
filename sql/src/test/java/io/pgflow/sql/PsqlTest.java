package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.TestDatabases;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** What one does by hand, where PostgreSQL's own client is installed; with {@code PGFLOW_TEST_PSQL=yes} in the environment it must be. */
@ExtendWith(TestDatabases.class)
class PsqlTest {
    @TempDir
    private Path folder;

    @BeforeAll
    static void isInstalled() {
        var there = Pattern.compile(Pattern.quote(File.pathSeparator))
                .splitAsStream(System.getenv().getOrDefault("PATH", ""))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "psql")));
        assumeTrue(there || "yes".equals(System.getenv("PGFLOW_TEST_PSQL")), "psql is not installed");
    }

    private String psql(PGSimpleDataSource database, String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("psql", "-X", "-v", "ON_ERROR_STOP=1"));
        command.addAll(List.of(arguments));
        var output = folder.resolve("output");
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        var environment = builder.environment();
        environment.put("PGHOST", database.getServerNames()[0]);
        environment.put("PGPORT", Integer.toString(database.getPortNumbers()[0]));
        environment.put("PGDATABASE", String.valueOf(database.getDatabaseName()));
        environment.put("PGUSER", String.valueOf(database.getUser()));
        environment.put("PGPASSWORD", String.valueOf(database.getPassword()));
        var process = builder.start();
        try {
            assertThat(process.waitFor(2, TimeUnit.MINUTES)).as("ended in time").isTrue();
        } finally {
            process.destroyForcibly();
        }
        var text = Files.readString(output);
        assertThat(process.exitValue()).as(text).isZero();
        return text;
    }

    @Test
    void installsTheSchemaFromItsFileAndWorksByHand(
            @EmptyDatabase PGSimpleDataSource database, PGSimpleDataSource migrated) throws Exception {
        psql(database, "-1", "-f", "target/pgflow.sql");

        assertThat(SchemaDump.of(database)).isEqualTo(SchemaDump.of(migrated));
        assertThat(psql(database, "-f", "src/test/resources/worked-examples.sql"))
                .contains("\nmessages in queue and archive:\n0 1\n");
    }

    @Test
    void installsTheSchemaAsTheReadmeSays(@EmptyDatabase PGSimpleDataSource database, PGSimpleDataSource migrated)
            throws Exception {
        var command = Pattern.compile("^psql -v ON_ERROR_STOP=1 -f sql/(\\S+) \"\\$DATABASE\"$", Pattern.MULTILINE)
                .matcher(Files.readString(Path.of("README.md")));
        assertThat(command.find()).isTrue();

        psql(database, "-f", command.group(1));

        assertThat(SchemaDump.of(database)).isEqualTo(SchemaDump.of(migrated));
    }
}
