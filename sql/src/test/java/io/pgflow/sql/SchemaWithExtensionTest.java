package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.sql.Migration.Outcome;
import io.pgflow.sql.Pgmq.Kind;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** On a server that offers an extension named pgmq: here a small one, with the parts that Schema looks at. */
@DisabledIfEnvironmentVariable(
        named = "PGFLOW_TEST_DATABASE",
        matches = "embedded:1[567]",
        disabledReason = "extension_control_path came with PostgreSQL 18")
class SchemaWithExtensionTest {
    private static EmbeddedPostgres server;

    @BeforeAll
    static void offerTheExtension(@TempDir Path folder) throws Exception {
        Files.createDirectory(folder.resolve("extension"));
        Files.writeString(
                folder.resolve("extension/pgmq.control"),
                "default_version = '1.11.0'\nschema = pgmq\nrelocatable = false\nsuperuser = false\n");
        Files.writeString(
                folder.resolve("extension/pgmq--1.11.0.sql"),
                "create type pgmq.message_record as (msg_id bigint, headers jsonb);\n");
        Files.writeString(
                folder.resolve("extension/pgmq--1.4.4.sql"), "create type pgmq.message_record as (msg_id bigint);\n");
        server = EmbeddedPostgres.builder()
                .setServerConfig("extension_control_path", "'" + folder + ":$system'")
                .start();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @Test
    void createsTheExtension() throws Exception {
        Sql.execute(server.getPostgresDatabase(), "create database created");

        var before = Schema.describe(server.getDatabase("postgres", "created"));
        assertThat(before.pgmq()).isEmpty();
        assertThat(before.offeredPgmq()).contains("1.11.0");
        assertThat(before.toString()).contains("\nno pgmq; the server offers the extension, version 1.11.0\n");

        var migration = Schema.migrate(server.getDatabase("postgres", "created"));

        var after = Schema.describe(server.getDatabase("postgres", "created"));
        assertThat(after.pgmq()).contains(new Pgmq(Kind.EXTENSION, "1.11.0"));
        assertThat(after.offeredPgmq()).isEmpty();
        assertThat(after.toString()).contains("\npgmq 1.11.0 (extension)\n");

        assertThat(migration.outcome()).isEqualTo(Outcome.INSTALLED);
        assertThat(migration.applied()).contains("extension pgmq").doesNotContain("pgmq/pgmq.sql");
        assertThat(migration.pgmq()).isEqualTo(new Pgmq(Kind.EXTENSION, "1.11.0"));
        assertThat(Schema.migrate(server.getDatabase("postgres", "created")).outcome())
                .isEqualTo(Outcome.UNCHANGED);
    }

    @Test
    void refusesAnExtensionThatIsTooOld() throws Exception {
        Sql.execute(server.getPostgresDatabase(), "create database old");
        var database = server.getDatabase("postgres", "old");
        Sql.execute(database, "create extension pgmq version '1.4.4'");

        assertThatThrownBy(() -> Schema.migrate(database))
                .isInstanceOf(SchemaException.class)
                .hasMessageContainingAll("older than 1.5.0", "alter extension pgmq update");
    }

    @Test
    void keepsPgFlowsOwnPgmqWhereItWasInstalledBeforeTheExtensionWasOffered() throws Exception {
        Sql.execute(server.getPostgresDatabase(), "create database ours");
        var database = server.getDatabase("postgres", "ours");
        Sql.execute(database, Files.readString(Path.of("src/main/resources/io/pgflow/sql/pgmq/pgmq.sql")));

        var migration = Schema.migrate(database);

        assertThat(migration.pgmq().kind()).isEqualTo(Kind.OURS);
        assertThat(migration.applied()).contains("pgmq/pgmq.sql");
        assertThat(Schema.describe(database).toString())
                .contains("\npgmq by PgFlow, release 1; the server offers the extension, version 1.11.0\n");
    }
}
