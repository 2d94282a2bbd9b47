package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.TestDatabases;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.jooq.Constants;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.codegen.GenerationTool;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.util.DriverInfo;

/** The README's way to jOOQ classes: its XML generates them from a user's database, and its Java compiles with them and starts a run. */
@ExtendWith(TestDatabases.class)
class ReadmeJooqTest {
    private static final String README = readme();

    private static String readme() {
        try {
            return Files.readString(Path.of("README.md"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The fenced block of a language that has this in it. */
    private static String block(String language, String content) {
        return Pattern.compile("^```" + language + "\n(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE)
                .matcher(README)
                .results()
                .map(match -> match.group(1))
                .filter(block -> block.contains(content))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void namesTheReleasesThatTheBuildUses() {
        assertThat(block("xml", "jooq-codegen-maven"))
                .contains(
                        "<version>" + Constants.FULL_VERSION + "</version>",
                        "<version>" + DriverInfo.DRIVER_VERSION + "</version>");
    }

    @Test
    void generatesClassesThatStartARun(@EmptyDatabase PGSimpleDataSource database, @TempDir Path folder)
            throws Exception {
        Schema.migrate(database);
        Sql.execute(
                database,
                "create table public.customers (id bigint primary key, name text);"
                        + " select pgflow.create_flow('fulfil_order'), pgflow.add_step('fulfil_order', 'a')");

        generate(database, folder.resolve("sources"));
        var classes = compile(folder);

        try (var loader = new URLClassLoader(
                        new URL[] {classes.toUri().toURL()}, getClass().getClassLoader());
                var connection = database.getConnection()) {
            var runs = loader.loadClass("com.example.Snippet")
                    .getMethod("run", DSLContext.class)
                    .invoke(null, DSL.using(connection, SQLDialect.POSTGRES));

            assertThat(Sql.query(database, "select run_id from pgflow.runs"))
                    .containsExactlyElementsOf(((List<?>) runs)
                            .stream().map(UUID.class::cast).map(UUID::toString).toList())
                    .hasSize(1);
        }
    }

    /** What Maven's plugin does with its configuration: puts in the environment's variables, and hands it to the tool. */
    private static void generate(PGSimpleDataSource database, Path sources) throws Exception {
        var xml = block("xml", "jooq-codegen-maven");
        var configuration = xml.substring(
                        xml.indexOf("<configuration>") + "<configuration>".length(), xml.indexOf("</configuration>"))
                .replace("${env.PGFLOW_DATABASE_URL}", database.getURL().replace("&", "&amp;"))
                .replace("${env.PGFLOW_DATABASE_USER}", String.valueOf(database.getUser()))
                .replace("${env.PGFLOW_DATABASE_PASSWORD}", String.valueOf(database.getPassword()))
                .replace("target/generated-sources/jooq", sources.toString());
        assertThat(configuration).doesNotContain("${");
        GenerationTool.generate("<configuration><logging>WARN</logging>" + configuration + "</configuration>");
    }

    /** Compiles what was generated together with the README's lines; a user's own table is among them. */
    private static Path compile(Path folder) throws IOException {
        var snippet = folder.resolve("sources/com/example/Snippet.java");
        Files.writeString(snippet, """
                package com.example;

                import com.example.jooq.pgflow.Tables;
                import java.util.List;
                import java.util.UUID;
                import org.jooq.DSLContext;
                import org.jooq.JSONB;

                public class Snippet {
                    static final Object OWN = com.example.jooq.public_.Tables.CUSTOMERS.NAME;

                    public static List<UUID> run(DSLContext db) {
                        %s
                        return runs;
                    }
                }
                """.formatted(block("java", "START_FLOWS")));
        var classes = Files.createDirectories(folder.resolve("classes"));
        var arguments = new ArrayList<>(
                List.of("-proc:none", "-d", classes.toString(), "-cp", System.getProperty("java.class.path")));
        try (var files = Files.walk(folder.resolve("sources"))) {
            files.map(Path::toString).filter(file -> file.endsWith(".java")).forEach(arguments::add);
        }
        var compiler = ToolProvider.getSystemJavaCompiler();
        var messages = new ByteArrayOutputStream();
        int status = compiler.run(null, messages, messages, arguments.toArray(String[]::new));
        assertThat(status).as(messages.toString(StandardCharsets.UTF_8)).isZero();
        return classes;
    }
}
