package io.pgflow.sql;

import static io.pgflow.sql.Sql.execute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.sql.Pgmq.Kind;
import io.pgflow.sql.SchemaReport.Absent;
import io.pgflow.sql.SchemaReport.Facility;
import io.pgflow.sql.SchemaReport.Foreign;
import io.pgflow.sql.SchemaReport.Installed;
import io.pgflow.sql.SchemaReport.Standing;
import io.pgflow.sql.SchemaReport.Unreadable;
import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.LoginRole;
import io.pgflow.testing.TestDatabases;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** What {@link Schema#describe} says of databases of all kinds. {@link SchemaWithExtensionTest} has those with the extension. */
@ExtendWith(TestDatabases.class)
class SchemaReportTest {
    private static final String RELEASE = SqlFiles.ofThisRelease().release().toString();

    @Test
    void nothingIsThereYet(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        var report = Schema.describe(database);

        assertThat(report.pgflow()).isEqualTo(new Absent());
        assertThat(report.pgmq()).isEmpty();
        assertThat(report.facilities()).isEmpty();
        assertThat(report.database()).isEqualTo(database.getDatabaseName());
        assertThat(report.user())
                .isEqualTo(Sql.query(database, "select current_user").getFirst());
        assertThat(Sql.query(database, "show server_version").getFirst()).startsWith(report.server());
        assertThat(report.toString().lines()).hasSize(4).contains("schema pgflow: none");
        assertThat(report.toString()).endsWith("\noptional: none; absent: realtime, cron, net, vault");
    }

    @Test
    void thisReleaseIsThere(PGSimpleDataSource migrated) {
        var report = Schema.describe(migrated);

        assertThat(report.pgflow()).isEqualTo(new Installed(RELEASE, Standing.CURRENT, List.of()));
        assertThat(report.pgmq()).contains(new Pgmq(Kind.OURS, "1"));
        assertThat(report.toString())
                .contains("\nschema pgflow: release " + RELEASE + ", up to date\npgmq by PgFlow, release 1");
    }

    @Test
    void anOlderReleaseIsThere(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        Schema.migrate(database);
        execute(database, """
                update pgflow.schema_history set release = '0.0.9';
                update pgflow.schema_history set checksum = 'old' where file like 'pgmq/%';
                delete from pgflow.schema_history where file = 'functions/heartbeat.sql'""");

        var report = Schema.describe(database);

        assertThat(report.pgflow())
                .isEqualTo(
                        new Installed("0.0.9", Standing.OUTDATED, List.of("pgmq/pgmq.sql", "functions/heartbeat.sql")));
        assertThat(report.toString())
                .contains("schema pgflow: release 0.0.9, to be upgraded by pgmq/pgmq.sql and 1 more");
        assertThat(Schema.migrate(database).applied()).containsExactly("pgmq/pgmq.sql", "functions/heartbeat.sql");
    }

    @Test
    void aNewerReleaseIsThere(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        Schema.migrate(database);
        execute(database, "update pgflow.schema_history set release = '0.10.0', checksum = 'new'");

        var report = Schema.describe(database);

        assertThat(report.pgflow()).isEqualTo(new Installed("0.10.0", Standing.NEWER, List.of()));
        assertThat(report.toString())
                .contains("schema pgflow: release 0.10.0, newer than this program, which can use it");

        execute(
                database,
                "insert into pgflow.schema_history (file, checksum, release) values ('tables/V999.sql', '', '0.11.0')");
        assertThat(Schema.describe(database).pgflow()).isEqualTo(new Installed("0.11.0", Standing.TOO_NEW, List.of()));
    }

    @Test
    void othersHaveBeenHere(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        execute(database, """
                create schema pgflow;
                create schema pgmq;
                create type pgmq.message_record as (msg_id bigint, headers jsonb);
                create function pgmq.acquire_queue_lock(queue_name text) returns void language sql as ''""");

        var report = Schema.describe(database);

        assertThat(report.pgflow()).isEqualTo(new Foreign());
        assertThat(report.pgmq()).contains(new Pgmq(Kind.OTHER_SQL, "1.6.0"));
        assertThat(report.toString()).contains("schema pgflow: made by others\npgmq 1.6.0 or newer (SQL only)");
    }

    @Test
    void itIsNotForThisUserToLookAt(PGSimpleDataSource migrated) {
        try (var role = new LoginRole(migrated)) {
            var report = Schema.describe(role.dataSource());

            assertThat(report.pgflow()).isEqualTo(new Unreadable());
            assertThat(report.pgmq()).contains(new Pgmq(Kind.OURS, "1"));
            assertThat(report.user()).isEqualTo(role.name());
            assertThat(report.toString()).contains("made by PgFlow, but this user may not look at it");
        }
    }

    @Test
    void optionalFacilitiesAreThere(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        execute(database, """
                create schema realtime;
                create function realtime.send(jsonb, text, text, boolean) returns void language sql as '';
                create schema cron;
                create table cron.job ();
                create schema net;
                create schema vault;
                create view vault.decrypted_secrets as select 1""");

        var report = Schema.describe(database);

        assertThat(report.facilities()).containsExactlyInAnyOrder(Facility.REALTIME, Facility.CRON, Facility.VAULT);
        assertThat(report.toString()).endsWith("\noptional: realtime, cron, vault; absent: net");
    }

    @Test
    void aFunctionOfTheSameNameIsNotRealtime(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        execute(database, """
                create schema realtime;
                create function realtime.send(text) returns void language sql as ''""");

        assertThat(Schema.describe(database).facilities()).isEmpty();
    }

    @Test
    void aRefusalToMigrateSaysWhatIsThere(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        Schema.migrate(database);
        execute(database, "update pgflow.schema_history set checksum = 'x' where file like 'tables/V001%'");

        assertThatThrownBy(() -> Schema.migrate(database))
                .isInstanceOf(SchemaException.class)
                .hasMessageContainingAll(
                        "has been edited",
                        "\nThere is:\nPostgreSQL ",
                        "to be upgraded by tables/V001__definitions.sql\n",
                        "\npgmq by PgFlow, release 1");
    }
}
