package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.SqlSession.Refusal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The functions that need pg_cron, pg_net and the vault: without them they say so, and with them, for which small stand-ins are put up here,
 * they do as the contract says.
 */
@ExtendWith(CoreDatabase.class)
class SupabaseFunctionsTest {

    private static void standIns(Flows db) {
        db.run("""
                create schema cron;
                create table cron.job (jobid bigint generated always as identity, jobname text unique, schedule text, command text);
                create table cron.job_run_details (end_time timestamptz);
                create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as
                  'insert into cron.job (jobname, schedule, command) values ($1, $2, $3) returning jobid';
                create function cron.unschedule(job_name text) returns boolean language sql as
                  'delete from cron.job where jobname = $1 returning true';
                create schema net;
                create table net.sent (id bigint generated always as identity, url text, headers jsonb, body jsonb);
                create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds int default 5000)
                returns bigint language sql as 'insert into net.sent (url, headers, body) values ($1, $4, $2) returning id';
                create schema vault;
                create table vault.decrypted_secrets (name text, decrypted_secret text)""");
    }

    private static void secret(Flows db, String name, String value) {
        db.run("insert into vault.decrypted_secrets values (?, ?)", name, value);
    }

    private static void local(Flows db) {
        db.run("set app.settings.jwt_secret = 'super-secret-jwt-token-with-at-least-32-characters-long'");
    }

    @AfterEach
    void removeStandIns(Flows db) {
        db.run("drop schema if exists cron, net, vault cascade; reset app.settings.jwt_secret");
    }

    @ParameterizedTest
    @CsvSource({
        "ensure_workers, pg_net, net.http_post",
        "setup_ensure_workers_cron, pg_cron, cron.job",
        "setup_requeue_stalled_tasks_cron, pg_cron, cron.job",
        "cleanup_ensure_workers_logs, pg_cron, cron.job_run_details"
    })
    void saySoWhereSomethingIsMissing(String function, String what, String object, Flows db) {
        assertThat(db.refusal("select * from pgflow." + function + "()"))
                .isEqualTo(new Refusal(
                        "0A000",
                        function + " needs " + what + ", which this database does not have (looked for " + object
                                + ")"));
    }

    @Test
    void scheduleRecovery(Flows db) {
        standIns(db);

        assertThat(db.line("select pgflow.setup_requeue_stalled_tasks_cron()"))
                .isEqualTo("Scheduled pgflow_requeue_stalled_tasks (every 15 seconds, job_id=1)");
        assertThat(db.line("select pgflow.setup_requeue_stalled_tasks_cron(cron_interval => '1 minute')"))
                .isEqualTo("Scheduled pgflow_requeue_stalled_tasks (every 1 minute, job_id=2)");
        assertThat(db.lines("select jobid, jobname, schedule, command from cron.job"))
                .containsExactly("2 pgflow_requeue_stalled_tasks 1 minute select pgflow.requeue_stalled_tasks()");
        db.run(db.line("select command from cron.job"));
    }

    @Test
    void scheduleThePingsAndTheCleaningOfTheLog(Flows db) {
        standIns(db);

        assertThat(db.line("select pgflow.setup_ensure_workers_cron()"))
                .isEqualTo(
                        "Scheduled pgflow_ensure_workers (every 1 second, job_id=1) and pgflow_cleanup_logs (hourly, job_id=2)");
        db.run("select pgflow.setup_ensure_workers_cron('5 seconds')");
        assertThat(db.lines("select jobname, schedule, command from cron.job order by 1"))
                .containsExactly(
                        "pgflow_cleanup_logs 0 * * * * select pgflow.cleanup_ensure_workers_logs()",
                        "pgflow_ensure_workers 5 seconds select pgflow.ensure_workers()");
    }

    @Test
    void cleanTheLog(Flows db) {
        standIns(db);
        db.run("insert into cron.job_run_details select now() - i * interval '10 hours' from generate_series(0, 4) i");

        assertThat(db.lines("select * from pgflow.cleanup_ensure_workers_logs()"))
                .containsExactly("2");
        assertThat(db.lines("select cron_deleted from pgflow.cleanup_ensure_workers_logs(retention_hours => 5)"))
                .containsExactly("2");
        assertThat(db.lines("select * from pgflow.cleanup_ensure_workers_logs()"))
                .containsExactly("0");
    }

    @Test
    void pingAllProgramsLocally(Flows db) {
        standIns(db);
        local(db);
        db.run(
                "insert into pgflow.worker_functions (function_name, enabled, last_invoked_at) values ('on', true, now()), ('off', false, null)");
        db.run("select pgflow.register_worker(gen_random_uuid(), 'q', 'on')");

        assertThat(db.lines("select * from pgflow.ensure_workers()")).containsExactly("on t 1");
        assertThat(db.lines("select url, headers, body from net.sent"))
                .containsExactly("http://kong:8000/functions/v1/on {} {}");
    }

    @Test
    void pingProgramsWithoutALiveWorkerElsewhere(Flows db) {
        standIns(db);
        secret(db, "supabase_project_id", "abc");
        secret(db, "pgflow_auth_secret", "");
        secret(db, "supabase_service_role_key", "key");
        db.run("""
                insert into pgflow.worker_functions (function_name, last_invoked_at) values
                  ('dead', null), ('idle', now() - interval '7 seconds'), ('just_pinged', now() - interval '1 second'), ('alive', null),
                  ('stopped', null), ('deprecated', null), ('silent', null)""");
        db.run("""
                insert into pgflow.workers (worker_id, queue_name, function_name, stopped_at, deprecated_at, last_heartbeat_at) values
                  (gen_random_uuid(), 'q', 'alive', null, null, now()),
                  (gen_random_uuid(), 'q', 'alive', now(), null, now()),
                  (gen_random_uuid(), 'q', 'stopped', now(), null, now()),
                  (gen_random_uuid(), 'q', 'deprecated', null, now(), now()),
                  (gen_random_uuid(), 'q', 'silent', null, null, now() - interval '7 seconds')""");

        assertThat(db.lines("select function_name from pgflow.ensure_workers() where invoked order by 1"))
                .containsExactly("dead", "deprecated", "idle", "silent", "stopped");
        assertThat(db.lines("select url, headers, body from net.sent where url like '%dead'"))
                .containsExactly(
                        "https://abc.supabase.co/functions/v1/dead {\"Content-Type\": \"application/json\", \"Authorization\": \"Bearer key\"} {}");
        assertThat(db.lines("select * from pgflow.ensure_workers()"))
                .as("not again so soon")
                .isEmpty();
    }

    @Test
    void pingNoProgramThatIsDisabledAndEachByItsOwnDebounce(Flows db) {
        standIns(db);
        secret(db, "supabase_project_id", "abc");
        secret(db, "pgflow_auth_secret", "own");
        db.run("""
                insert into pgflow.worker_functions (function_name, enabled, debounce, last_invoked_at) values
                  ('disabled', false, '1 second', null),
                  ('patient', true, '1 hour', now() - interval '1 minute'),
                  ('eager', true, '1 second', now() - interval '1 minute'),
                  ('long_alive', true, '1 hour', null),
                  ('soon_dead', true, '1 second', null)""");
        db.run("""
                insert into pgflow.workers (worker_id, queue_name, function_name, last_heartbeat_at)
                select gen_random_uuid(), 'q', f, now() - interval '1 minute' from unnest(array['long_alive', 'soon_dead']) f""");

        assertThat(db.lines("select function_name from pgflow.ensure_workers() order by 1"))
                .containsExactly("eager", "soon_dead");
    }

    @Test
    void preferTheirOwnSecret(Flows db) {
        standIns(db);
        secret(db, "supabase_project_id", "abc");
        secret(db, "pgflow_auth_secret", "own");
        secret(db, "supabase_service_role_key", "key");
        db.run("insert into pgflow.worker_functions (function_name) values ('dead')");

        db.run("select pgflow.ensure_workers()");
        assertThat(db.line("select headers ->> 'Authorization' from net.sent")).isEqualTo("Bearer own");
    }

    @ParameterizedTest
    @CsvSource({"supabase_project_id, abc", "pgflow_auth_secret, key"})
    void sendNothingWithoutAnAddressOrAKey(String name, String value, Flows db) {
        standIns(db);
        secret(db, name, value);
        db.run("insert into pgflow.worker_functions (function_name) values ('dead')");

        assertThat(db.lines("select * from pgflow.ensure_workers()")).isEmpty();
        assertThat(db.lines("select last_invoked_at from pgflow.worker_functions"))
                .containsExactly("-");
    }
}
