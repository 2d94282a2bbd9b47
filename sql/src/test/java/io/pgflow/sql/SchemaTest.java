package io.pgflow.sql;

import static io.pgflow.sql.Sql.execute;
import static io.pgflow.sql.Sql.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.sql.Migration.Outcome;
import io.pgflow.sql.Pgmq.Kind;
import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.LoginRole;
import io.pgflow.testing.TestDatabases;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

@ExtendWith(TestDatabases.class)
class SchemaTest {
    private static final String HISTORY =
            "select concat_ws(' ', file, checksum, release, installed_at) from pgflow.schema_history order by 1";
    private static final String FUNCTION = "pgflow.calculate_retry_delay(numeric,integer)";
    private static final String FUNCTION_FILE = "functions/calculate_retry_delay.sql";

    @Test
    void installsAllFilesIntoAnEmptyDatabase(@EmptyDatabase DataSource database) throws Exception {
        var migration = Schema.migrate(database);

        var files = SqlFiles.ofThisRelease();
        assertThat(migration.outcome()).isEqualTo(Outcome.INSTALLED);
        assertThat(migration.applied())
                .hasSizeGreaterThan(20)
                .containsSubsequence(
                        files.tables().stream().map(SqlFiles.SqlFile::name).toList())
                .containsAll(
                        files.functions().stream().map(SqlFiles.SqlFile::name).toList());
        assertThat(query(database, "select to_regclass('pgflow.runs')")).containsExactly("pgflow.runs");
        assertThat(query(database, "select to_regprocedure('pgmq.metrics(text)')"))
                .containsExactly("pgmq.metrics(text)");
    }

    @Test
    void doingItAgainChangesNothing(@EmptyDatabase DataSource database) throws Exception {
        Schema.migrate(database);
        var before = query(database, HISTORY);

        var again = Schema.migrate(database);

        assertThat(again.outcome()).isEqualTo(Outcome.UNCHANGED);
        assertThat(again.applied()).isEmpty();
        assertThat(query(database, HISTORY)).isEqualTo(before);
    }

    @Test
    void twoAtOnceInstallItOnce(@EmptyDatabase DataSource database) throws Exception {
        var together = new CyclicBarrier(2);
        Callable<Outcome> migrate = () -> {
            together.await(30, TimeUnit.SECONDS);
            return Schema.migrate(database).outcome();
        };
        try (var threads = Executors.newFixedThreadPool(2)) {
            var first = threads.submit(migrate);
            var second = threads.submit(migrate);

            assertThat(List.of(first.get(60, TimeUnit.SECONDS), second.get(60, TimeUnit.SECONDS)))
                    .containsExactlyInAnyOrder(Outcome.INSTALLED, Outcome.UNCHANGED);
        }
    }

    @Test
    void appliesAFunctionThatChangedAgain(@EmptyDatabase DataSource database) throws Exception {
        Schema.migrate(database);
        var original = definition(database);
        changeFunction(database);
        execute(database, "update pgflow.schema_history set checksum = 'old' where file = '" + FUNCTION_FILE + "'");

        var migration = Schema.migrate(database);

        assertThat(migration.outcome()).isEqualTo(Outcome.UPGRADED);
        assertThat(migration.applied()).containsExactly(FUNCTION_FILE);
        assertThat(definition(database)).isEqualTo(original);
    }

    @Test
    void appliesItsOwnPgmqAgainWhenItChanged(@EmptyDatabase DataSource database) throws Exception {
        Schema.migrate(database);
        execute(
                database,
                "drop function pgmq.metrics_all(); update pgflow.schema_history set checksum = 'old' where file like 'pgmq/%'");

        var migration = Schema.migrate(database);

        assertThat(migration.applied()).containsExactly("pgmq/pgmq.sql");
        assertThat(query(database, "select to_regprocedure('pgmq.metrics_all()')"))
                .containsExactly("pgmq.metrics_all()");
    }

    @Test
    void needsNoRightToChangeWhatIsUpToDate(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        Schema.migrate(database);
        try (var worker = new LoginRole(database)) {
            execute(database, "select pgflow.grant_worker('" + worker.name() + "')");
            assertThat(Schema.migrate(worker.dataSource()).outcome()).isEqualTo(Outcome.UNCHANGED);

            execute(database, "update pgflow.schema_history set release = '0.0.9'"); // with the same files
            assertThat(Schema.migrate(worker.dataSource()).outcome()).isEqualTo(Outcome.UNCHANGED);
        }
    }

    @Test
    void saysWhoseItIsToBringAnOlderSchemaUpToDate(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        Schema.migrate(database);
        try (var worker = new LoginRole(database)) {
            execute(database, "select pgflow.grant_worker('" + worker.name() + "')");
            execute(database, "update pgflow.schema_history set checksum = 'old' where file = '" + FUNCTION_FILE + "'");

            assertThatThrownBy(() -> Schema.migrate(worker.dataSource()))
                    .isInstanceOf(SchemaException.class)
                    .hasMessageContainingAll(
                            FUNCTION_FILE,
                            "Have a user do it who may",
                            "user " + worker.name(),
                            "to be upgraded by " + FUNCTION_FILE);
        }
    }

    @Test
    void saysThatARoleWasGrantedNothing(@EmptyDatabase PGSimpleDataSource database) {
        Schema.migrate(database);
        try (var nobody = new LoginRole(database)) {
            assertThatThrownBy(() -> Schema.migrate(nobody.dataSource()))
                    .isInstanceOf(SchemaException.class)
                    .hasMessageContainingAll(nobody.name(), "may not use schema pgflow", "pgflow.grant_worker");
        }
    }

    @Test
    void saysWhichFileTheDatabaseRefused(@EmptyDatabase PGSimpleDataSource database) {
        try (var nobody = new LoginRole(database)) {
            assertThatThrownBy(() -> Schema.migrate(nobody.dataSource()))
                    .isInstanceOf(SchemaException.class)
                    .hasMessageContainingAll("schema_history.sql", "permission denied", "who may create schemas here");
        }
    }

    /** A pool that gives its one connection again and again, and looks after nothing. */
    private static DataSource pool(Connection connection) {
        var loader = SchemaTest.class.getClassLoader();
        var lent = Proxy.newProxyInstance(
                loader,
                new Class<?>[] {Connection.class},
                (self, method, arguments) ->
                        method.getName().equals("close") ? null : method.invoke(connection, arguments));
        return (DataSource)
                Proxy.newProxyInstance(loader, new Class<?>[] {DataSource.class}, (self, method, arguments) -> lent);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void givesAConnectionBackInItsMode(boolean autoCommit, @EmptyDatabase DataSource database) throws Exception {
        try (var connection = database.getConnection()) {
            connection.setAutoCommit(autoCommit);

            Schema.migrate(pool(connection));

            assertThat(connection.getAutoCommit()).isEqualTo(autoCommit);

            execute(database, "update pgflow.schema_history set checksum = 'x' where file like '%V001%'");
            assertThatThrownBy(() -> Schema.migrate(pool(connection))).isInstanceOf(SchemaException.class);
            assertThat(connection.getAutoCommit()).isEqualTo(autoCommit);
        }
    }

    @Test
    void keepsTheFunctionsOfANewerRelease(@EmptyDatabase DataSource database) throws Exception {
        Schema.migrate(database);
        changeFunction(database);
        var changed = definition(database);
        execute(
                database,
                "update pgflow.schema_history set checksum = 'newer', release = '0.10.0' where file = '" + FUNCTION_FILE
                        + "'");

        var migration = Schema.migrate(database);

        assertThat(migration.outcome()).isEqualTo(Outcome.NEWER);
        assertThat(migration.applied()).isEmpty();
        assertThat(definition(database)).isEqualTo(changed);
    }

    @Test
    void claimsTheFilesOfAnOlderReleaseThatItHasUnchanged(@EmptyDatabase DataSource database) throws Exception {
        Schema.migrate(database);
        execute(database, "update pgflow.schema_history set release = '0.0.9'");

        assertThat(Schema.migrate(database).outcome()).isEqualTo(Outcome.UNCHANGED);

        assertThat(query(database, "select distinct release from pgflow.schema_history"))
                .containsExactly(SqlFiles.ofThisRelease().release().toString());
    }

    @Test
    void refusesASchemaThatIsNewerThanTheCode(@EmptyDatabase DataSource database) throws Exception {
        Schema.migrate(database);
        execute(
                database,
                "insert into pgflow.schema_history (file, checksum, release) values ('tables/V999__later.sql', 'x', '7.0.0')");

        assertThatThrownBy(() -> Schema.migrate(database))
                .isInstanceOf(SchemaException.class)
                .hasMessageContainingAll("newer than this program", "7.0.0", "tables/V999__later.sql");
    }

    @Test
    void refusesATableMigrationThatWasEditedAfterItWasApplied(@EmptyDatabase DataSource database) throws Exception {
        Schema.migrate(database);
        execute(
                database,
                "update pgflow.schema_history set checksum = 'x' where file = 'tables/V001__definitions.sql'");

        assertThatThrownBy(() -> Schema.migrate(database))
                .isInstanceOf(SchemaException.class)
                .hasMessageContainingAll("tables/V001__definitions.sql", "has been edited");
    }

    @Test
    void leavesASchemaMadeByOthersAsItIs(@EmptyDatabase DataSource database) throws Exception {
        othersPgmq(database, "headers jsonb");
        execute(database, "create schema pgflow; create table pgflow.runs (id int)");

        var migration = Schema.migrate(database);

        assertThat(migration.outcome()).isEqualTo(Outcome.FOREIGN);
        assertThat(query(database, "select tablename from pg_tables where schemaname in ('pgflow', 'pgmq')"))
                .containsExactly("runs");
        assertThat(query(database, "select proname from pg_proc where pronamespace = 'pgflow'::regnamespace"))
                .isEmpty();
    }

    @Test
    void usesSomebodyElsesPgmqAsItIs(@EmptyDatabase DataSource database) throws Exception {
        othersPgmq(database, "headers jsonb");

        var migration = Schema.migrate(database);

        assertThat(migration.outcome()).isEqualTo(Outcome.INSTALLED);
        assertThat(migration.pgmq()).isEqualTo(new Pgmq(Kind.OTHER_SQL, "1.5.0"));
        assertThat(query(database, "select tablename from pg_tables where schemaname = 'pgmq'"))
                .isEmpty();
    }

    @Test
    void refusesAPgmqThatIsTooOldAndLeavesNothingBehind(@EmptyDatabase DataSource database) throws Exception {
        othersPgmq(database, "message jsonb");

        assertThatThrownBy(() -> Schema.migrate(database))
                .isInstanceOf(SchemaException.class)
                .hasMessageContainingAll("older than 1.5.0", "pgmq/choose.sql");

        assertThat(query(database, "select to_regnamespace('pgflow') is null")).containsExactly("t");
    }

    private static void othersPgmq(DataSource database, String attribute) throws Exception {
        execute(database, "create schema pgmq; create type pgmq.message_record as (msg_id bigint, " + attribute + ")");
    }

    private static void changeFunction(DataSource database) throws Exception {
        execute(database, definition(database).replaceFirst("(?s)AS \\$function\\$.*", "AS 'select 12345'"));
        assertThat(definition(database)).contains("12345");
    }

    private static String definition(DataSource database) throws Exception {
        return query(database, "select pg_get_functiondef('" + FUNCTION + "'::regprocedure)")
                .getFirst();
    }
}
