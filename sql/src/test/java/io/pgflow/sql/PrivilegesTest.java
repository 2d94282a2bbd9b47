package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.LoginRole;
import io.pgflow.testing.TestDatabases;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Who has which rights on the schema, and what becomes of them. */
@ExtendWith(TestDatabases.class)
class PrivilegesTest {

    @Test
    void thereAreNoneForEverybody(PGSimpleDataSource database) throws SQLException {
        assertThat(Sql.query(database, """
                        select p.proname
                        from pg_proc p
                        cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                        where p.pronamespace = 'pgflow'::regnamespace and a.grantee = 0
                        union all
                        select c.relname
                        from pg_class c
                        cross join lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
                        where c.relnamespace in ('pgflow'::regnamespace, 'pgmq'::regnamespace) and a.grantee = 0
                        union all
                        select n.nspname
                        from pg_namespace n
                        cross join lateral aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
                        where n.nspname in ('pgflow', 'pgmq') and a.grantee = 0
                        """)).isEmpty();
    }

    @Test
    void theOnlyFunctionsWithTheOwnersRightsAreThese(PGSimpleDataSource database) throws SQLException {
        assertThat(Sql.query(
                        database,
                        "select proname from pg_proc where prosecdef and pronamespace in ('pgflow'::regnamespace, 'pgmq'::regnamespace)"
                                + " order by 1"))
                .containsExactly(
                        "_create_queue",
                        "_send_events",
                        "await_runs",
                        "cleanup_ensure_workers_logs",
                        "enable_notifications",
                        "get_run_with_states",
                        "requeue_stalled_tasks",
                        "setup_ensure_workers_cron",
                        "setup_requeue_stalled_tasks_cron",
                        "start_flow",
                        "start_flow_with_states",
                        "start_flows");
    }

    @ParameterizedTest
    @ValueSource(strings = {"grant_client", "grant_worker"})
    void aRoleThatIsNotThereIsRefused(String function, PGSimpleDataSource database) {
        try (var admin = new SqlSession(database)) {
            assertThat(admin.refusal("select pgflow." + function + "('nobody''s \"role\"')")
                            .message())
                    .isEqualTo("role \"nobody's \"role\"\" does not exist");
            assertThat(admin.refusal("select pgflow." + function + "('public')").message())
                    .isEqualTo("role \"public\" does not exist");
            assertThat(admin.refusal("select pgflow." + function + "(null)").message())
                    .isEqualTo("role \"<NULL>\" does not exist");
        }
    }

    @Test
    void anUpgradeGivesClientsAndWorkersTheirPartOfWhatIsNew(@EmptyDatabase PGSimpleDataSource database)
            throws SQLException {
        Schema.migrate(database);
        try (var worker = new LoginRole(database);
                var client = new LoginRole(database);
                var admin = new SqlSession(database)) {
            admin.run("select pgflow.grant_worker(?), pgflow.grant_client(?)", worker.name(), client.name());
            admin.run("drop function pgflow.heartbeat; drop function pgflow.get_run_with_states");
            admin.run("delete from pgflow.schema_history where file ~ 'heartbeat|get_run_with_states'");

            Schema.migrate(database);

            var may = "has_function_privilege(?, 'pgflow.' || ?, 'execute')";
            assertThat(admin.holds(may, worker.name(), "heartbeat(uuid)")).isTrue();
            assertThat(admin.holds(may, client.name(), "heartbeat(uuid)")).isFalse();
            assertThat(admin.holds(may, client.name(), "get_run_with_states(uuid)"))
                    .isTrue();
        }
    }

    @Test
    void areTakenBackAsTheReadmeSays(PGSimpleDataSource database) throws Exception {
        var statements = Pattern.compile("^revoke .* from worker;$", Pattern.MULTILINE)
                .matcher(Files.readString(Path.of("README.md")))
                .results()
                .map(MatchResult::group)
                .toList();
        try (var role = new LoginRole(database);
                var admin = new SqlSession(database)) {
            admin.run("select pgflow.create_flow('f'), pgflow.grant_worker(?)", role.name());

            for (var statement : statements) {
                admin.run(statement.replace("from worker", "from \"" + role.name() + "\""));
            }

            assertThat(admin.number(
                            "select count(*) from pg_shdepend d join pg_roles r on r.oid = d.refobjid where r.rolname = ?",
                            role.name()))
                    .isZero();
        }
    }

    @Test
    void theSchemaMayBelongToARoleThatIsNoSuperuser(@EmptyDatabase PGSimpleDataSource database) throws SQLException {
        try (var owner = new LoginRole(database);
                var worker = new LoginRole(database);
                var admin = new SqlSession(database)) {
            admin.run("grant create on database " + database.getDatabaseName() + " to \"" + owner.name() + "\"");
            Schema.migrate(owner.dataSource());
            Sql.execute(owner.dataSource(), "select pgflow.grant_worker('" + worker.name() + "')");

            try (var session = new Flows(worker.dataSource())) {
                session.define("f", "a");
                session.start("f", "1");
                session.run("select pgflow.enable_notifications('f', 100)");
                session.run("select pgflow.register_worker(?, 'f', 'f')", Flows.WORKER);
                session.drain("f", "2");
                assertThat(session.line("select status from pgflow.runs")).isEqualTo("completed");
            }
        }
    }

    @Test
    void aQueueThatBelongsToSomebodyElseIsReported(@EmptyDatabase PGSimpleDataSource database) throws SQLException {
        try (var owner = new LoginRole(database);
                var worker = new LoginRole(database);
                var admin = new SqlSession(database)) {
            admin.run("grant create on database " + database.getDatabaseName() + " to \"" + owner.name() + "\"");
            Schema.migrate(owner.dataSource());
            admin.run("select pgmq.create('f')");
            admin.run("select pgflow.create_flow('f')");
            try (var session = new SqlSession(owner.dataSource())) {
                var refusal = session.refusal("select pgflow.grant_worker(?)", worker.name());
                assertThat(refusal.state()).isEqualTo("42501");
                assertThat(refusal.message()).contains(worker.name(), "table pgmq.q_f", owner.name());

                admin.run("alter schema pgmq owner to current_user");
                assertThat(session.refusal("select pgflow.grant_worker(?)", worker.name())
                                .message())
                        .contains("schema pgmq");
            }
            admin.run("select pgflow.grant_worker(?)", worker.name()); // a superuser may
        }
    }
}
