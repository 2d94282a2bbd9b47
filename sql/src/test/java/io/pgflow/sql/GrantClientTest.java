package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.testing.LoginRole;
import io.pgflow.testing.TestDatabases;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** What a role may do, and may not, that was granted the client's part. It logs in. */
@ExtendWith({CoreDatabase.class, TestDatabases.class})
class GrantClientTest {
    private LoginRole role;
    private SqlSession client;

    @BeforeEach
    void grant(PGSimpleDataSource database, Flows owner) {
        owner.define("before", "a");
        role = new LoginRole(database);
        owner.run("select pgflow.grant_client(?)", role.name());
        client = new SqlSession(role.dataSource());
    }

    @AfterEach
    void drop() {
        client.close();
        role.close();
    }

    @Test
    void startsRunsByEachOfTheFunctions() {
        assertThat(client.line("select status from pgflow.start_flow('before', '1')"))
                .isEqualTo("started");
        assertThat(client.line("select count(*) from pgflow.start_flows('before', array['1', '2']::jsonb[])"))
                .isEqualTo("2");
        assertThat(client.line("select pgflow.start_flow_with_states('before', '1') #>> '{run,status}'"))
                .isEqualTo("started");
    }

    @Test
    void startsRunsOfFlowsThatAreCreatedLaterAndAnnounceTheirMessages(Flows owner) {
        owner.define("later", """
                a map
                b: a
                """);
        owner.run("select pgflow.enable_notifications('later', 100)");

        client.run("select pgflow.start_flows('later', array['[1, 2]', '[]']::jsonb[])");

        assertThat(owner.queue("later")).containsExactlyInAnyOrder("a[0]", "a[1]", "b[0]");
    }

    @Test
    void readsFlowsAndRuns(Flows owner) {
        var run = owner.start("before", "1");

        assertThat(client.lines("select flow_slug from pgflow.flows")).containsExactly("before");
        assertThat(client.lines("select step_slug from pgflow.steps")).containsExactly("a");
        assertThat(client.lines("select * from pgflow.deps")).isEmpty();
        assertThat(client.line("select status from pgflow.runs where run_id = ?", run))
                .isEqualTo("started");
        assertThat(client.lines("select step_slug from pgflow.step_states")).containsExactly("a");
        assertThat(client.lines("select step_slug from pgflow.step_tasks")).containsExactly("a");
        assertThat(client.line("select pgflow.get_run_with_states(?) #>> '{run,flow_slug}'", run))
                .isEqualTo("before");
        assertThat(client.line("select status, awaited from pgflow.await_runs(array[?])", run))
                .isEqualTo("started t");
        assertThat(client.holds("exists (select from pgflow.schema_history)")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select pgflow.create_flow('mine')",
                "select pgflow.add_step('before', 'b')",
                "select pgflow.ensure_flow_compiled('mine', '{\"steps\": []}')",
                "select pgflow.delete_flow_and_data('before')",
                "select pgflow.register_worker(gen_random_uuid(), 'before', 'x')",
                "select pgflow.heartbeat(gen_random_uuid())",
                "select pgflow.claim_tasks('before', gen_random_uuid(), 1)",
                "select pgflow.start_tasks('before', '{1}', gen_random_uuid())",
                "select pgflow.complete_task(gen_random_uuid(), 'a', 0, '1')",
                "select pgflow.complete_tasks('{}', '{}', '{}', '{}', '{}')",
                "select pgflow.fail_task(gen_random_uuid(), 'a', 0, 'x')",
                "select pgflow.fail_tasks('{}', '{}', '{}', '{}', '{}', '{}')",
                "select pgflow.release_tasks('{}', '{}', '{}', '{}')",
                "select pgflow.release_lost_tasks('f', gen_random_uuid(), '{}', '{}', '{}', '{}')",
                "select pgflow.recover_tasks()",
                "select pgflow.requeue_stalled_tasks()",
                "select pgflow.enable_notifications('before', 0)",
                "select pgflow._start_runs('before', '{}', '{}', true)",
                "select pgflow.grant_worker(current_user)",
                "select pgflow._create_queue('before')",
                "select pgmq.read('before', 1, 1)",
                "select pgmq.send('before', '{}')",
                "select from pgmq.q_before",
                "select from pgflow.workers",
                "insert into pgflow.flows (flow_slug) values ('mine')",
                "insert into pgflow.runs (flow_slug, input) values ('before', '1')",
                "update pgflow.flows set opt_timeout = 1",
                "update pgflow.runs set status = 'completed'",
                "update pgflow.step_tasks set status = 'completed'",
                "delete from pgflow.step_tasks",
                "truncate pgflow.runs cascade",
                "create table pgflow.mine ()",
            })
    void isRefusedEverythingElse(String statement) {
        assertThat(client.refusal(statement).state()).isEqualTo("42501");
    }

    @Test
    void mayExecuteTheseFunctionsOnly(Flows owner) {
        assertThat(owner.lines(
                        "select proname from pg_proc where pronamespace = 'pgflow'::regnamespace"
                                + " and has_function_privilege(?, oid, 'execute') order by proname",
                        role.name()))
                .containsExactly(
                        "await_runs", "get_run_with_states", "start_flow", "start_flow_with_states", "start_flows");
    }

    /** A type of its own that is named like one of PostgreSQL's, with a check that runs as whoever converts a value to it. */
    @Test
    void cannotSlipItsOwnTypesUnderFunctionsWithTheOwnersRights() {
        client.run("create table pg_temp.ran_as (who text)");
        client.run("""
                create function pg_temp.spy(v text) returns boolean language plpgsql as $$
                begin insert into pg_temp.ran_as values (current_user); return true; end $$""");
        for (var type : new String[] {"uuid", "text", "jsonb", "int4", "int8", "bool", "timestamptz", "name"}) {
            client.run("create domain pg_temp." + type + " as pg_catalog." + type
                    + " check (pg_temp.spy(value::pg_catalog.text))");
        }
        client.run("select pgflow.start_flow_with_states('before'::pg_catalog.text, '1'::pg_catalog.jsonb)");
        client.run("select pgflow.start_flows('before'::pg_catalog.text, array['1']::pg_catalog.jsonb[])");
        client.run("select pgflow.start_flow('before'::pg_catalog.text, '1'::pg_catalog.jsonb, ?)", UUID.randomUUID());

        assertThat(client.lines("select who from pg_temp.ran_as")).isEmpty();
    }
}
