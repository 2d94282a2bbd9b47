package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.sql.Schema;
import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.LoginRole;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** Clients of programs without workers: what they need of a database, and what they leave. */
@ExtendWith(TestFlows.Extension.class)
class ClientConnectTest {

    record Named(String firstName) {}

    private static Flow<Named> flow(String slug) {
        var flow = Flow.of(slug, Named.class);
        flow.step("greet", String.class, named -> "hello " + named.firstName());
        return flow.build();
    }

    private static DSLContext sql(PGSimpleDataSource database) {
        return DSL.using(database, SQLDialect.POSTGRES);
    }

    @Test
    void worksByUrlUserAndPassword(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("by_url");
        var workers = flows.start(flow);
        try (var client = Client.connect(
                database.getURL(),
                Objects.requireNonNull(database.getUser()),
                Objects.requireNonNullElse(database.getPassword(), ""))) {
            var run = client.start(flow, new Named("Ada"));

            assertThat(client.await(run, TestFlows.LIMIT).output()).hasValue("{\"greet\": \"hello Ada\"}");
            assertThat(workers.client().read(run)).isInstanceOf(RunState.Completed.class);
        }
    }

    @Test
    void bindsValuesByItsOwnMapper(TestFlows flows, PGSimpleDataSource database) {
        var flow = flow("own_mapper");
        flows.compile(flow);
        var mapper = JsonMapper.builder()
                .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                .build();
        try (var client = Client.connect(database).json(mapper)) {
            var run = client.start(flow, new Named("Ada"));

            assertThat(flows.db().fetchValue("select input ->> 'first_name' from pgflow.runs where run_id = ?", run))
                    .isEqualTo("Ada");
            assertThat(client.unfinished(flow, new Named("Ada"))).hasValue(run);
        }
    }

    @Test
    void leavesNoConnectionBehind(TestFlows flows, PGSimpleDataSource database) throws Exception {
        try (var role = new LoginRole(database)) {
            flows.db().execute("select pgflow.grant_client(?)", role.name());
            var sessions = "from pg_stat_activity where usename = '" + role.name() + "'";
            var client = Client.connect(database.getURL(), role.name(), role.password());
            assertThat(flows.db().fetchValue("select count(*) > 0 " + sessions)).isEqualTo(true);

            client.close();
            client.close();

            flows.await("count(*) = 0 " + sessions);
            assertThatThrownBy(() -> client.steps(UUID.randomUUID())).hasRootCauseInstanceOf(SQLException.class);
        }
    }

    @Test
    void refusesADatabaseWithoutASchemaAndInstallsNone(@EmptyDatabase PGSimpleDataSource database) {
        assertThatThrownBy(() -> Client.connect(database))
                .isInstanceOf(PgflowException.SchemaMismatch.class)
                .hasMessageContainingAll("found none", "Start a worker", "Schema.migrate");

        assertThat(sql(database).fetchValue("select to_regnamespace('pgflow') is null"))
                .isEqualTo(true);
    }

    @Test
    void refusesAnOlderSchemaAndChangesNothing(@EmptyDatabase PGSimpleDataSource database) {
        Schema.migrate(database);
        sql(database).execute("update pgflow.schema_history set checksum = 'old' where file like '%/await_runs.sql'");

        assertThatThrownBy(() -> Client.connect(database))
                .isInstanceOf(PgflowException.SchemaMismatch.class)
                .hasMessageContainingAll("await_runs", "Schema.migrate");

        assertThat(sql(database).fetchValue("select count(*) from pgflow.schema_history where checksum = 'old'"))
                .isEqualTo(1L);
    }

    @Test
    void refusesASchemaThatIsTooNew(@EmptyDatabase PGSimpleDataSource database) {
        Schema.migrate(database);
        sql(database)
                .execute(
                        "insert into pgflow.schema_history (file, checksum, release) values ('tables/V999__later.sql', 'x', '99.0')");

        assertThatThrownBy(() -> Client.connect(database))
                .isInstanceOf(PgflowException.SchemaMismatch.class)
                .hasMessageContaining("Use release 99.0");
    }

    @Test
    void refusesASchemaThatOthersMade(@EmptyDatabase PGSimpleDataSource database) {
        sql(database).execute("create schema pgflow");

        assertThatThrownBy(() -> Client.connect(database))
                .isInstanceOf(PgflowException.SchemaMismatch.class)
                .hasMessageContaining("made by others");
    }

    @Test
    void tellsARoleWithoutRightsWhatToAskFor(PGSimpleDataSource database) {
        try (var role = new LoginRole(database)) {
            assertThatThrownBy(() -> Client.connect(role.dataSource()))
                    .isInstanceOf(PgflowException.PermissionMissing.class)
                    .hasMessageContainingAll(role.name(), "pgflow.grant_client");
        }
    }

    @Test
    void tellsARoleThatLostARightWhatToAskFor(TestFlows flows, PGSimpleDataSource database) {
        var flow = flow("revoked");
        flows.compile(flow);
        try (var role = new LoginRole(database)) {
            flows.db().execute("select pgflow.grant_client(?)", role.name());
            try (var client = Client.connect(role.dataSource())) {
                var run = client.start(flow, new Named("x"));
                flows.db()
                        .execute(
                                "revoke execute on function pgflow.await_runs, pgflow.start_flows from {0}",
                                DSL.name(role.name()));

                assertThatThrownBy(() -> client.start(flow, new Named("y")))
                        .isInstanceOf(PgflowException.PermissionMissing.class)
                        .hasMessageContainingAll("start_flows", "pgflow.grant_client");
                assertThatThrownBy(() -> client.await(run, TestFlows.LIMIT))
                        .isInstanceOf(PgflowException.PermissionMissing.class)
                        .hasMessageContaining("await_runs");
            }
        }
    }

    @Test
    void saysWhereNoDatabaseAnswersAndKeepsThePassword() {
        assertThatThrownBy(() -> Client.connect("postgresql://localhost:1/nowhere", "me", "s3cret"))
                .isInstanceOf(PgflowException.DatabaseUnavailable.class)
                .hasMessageContaining("localhost:1/nowhere")
                .hasMessageNotContaining("s3cret");
        var unreachable = new PGSimpleDataSource();
        unreachable.setUrl("jdbc:postgresql://localhost:1/nowhere");
        assertThatThrownBy(() -> Client.connect(unreachable)).isInstanceOf(PgflowException.DatabaseUnavailable.class);
    }

    @Test
    void leavesAProgramsOwnPoolOpen(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var watched = new WatchedDatabase(database);
        try (var client = Client.connect(watched.asDataSource())) {
            assertThat(client.steps(UUID.randomUUID())).isEqualTo(List.of());
        }
        assertThat(watched.open()).isZero();
        watched.asDataSource().getConnection().close();
    }
}
