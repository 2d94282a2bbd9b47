package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What other programs rely on by name: functions with their parameters, tables with their columns, constraints, the type. */
@ExtendWith(CoreDatabase.class)
class ContractTest {

    /**
     * Name, parameters and defaults, result, volatility, and {@code definer} where it has the owner's rights: as the contract has them, but that
     * start_flow has these rights too, so that roles which only start runs need none on tables.
     */
    private static final String FUNCTIONS = """
            _archive_task_message(p_run_id uuid, p_step_slug text, p_task_index integer) void v
            _cascade_force_skip_steps(run_id uuid, step_slug text, skip_reason text) integer v
            _compare_flow_shapes(p_local jsonb, p_db jsonb) text[] s
            _create_flow_from_shape(p_flow_slug text, p_shape jsonb) void v
            _get_flow_shape(p_flow_slug text) jsonb s
            add_step(flow_slug text, step_slug text, deps_slugs text[] DEFAULT '{}'::text[], max_attempts integer DEFAULT NULL::integer, \
            base_delay integer DEFAULT NULL::integer, timeout integer DEFAULT NULL::integer, start_delay integer DEFAULT NULL::integer, \
            step_type text DEFAULT 'single'::text, required_input_pattern jsonb DEFAULT NULL::jsonb, \
            forbidden_input_pattern jsonb DEFAULT NULL::jsonb, when_unmet text DEFAULT 'skip'::text, \
            when_exhausted text DEFAULT 'fail'::text) pgflow.steps v
            calculate_retry_delay(base_delay numeric, attempts_count integer) integer i
            cascade_complete_taskless_steps(run_id uuid) integer v
            cascade_resolve_conditions(run_id uuid) boolean v
            cleanup_ensure_workers_logs(retention_hours integer DEFAULT 24) TABLE(cron_deleted bigint) v definer
            complete_task(run_id uuid, step_slug text, task_index integer, output jsonb) SETOF pgflow.step_tasks v
            create_flow(flow_slug text, max_attempts integer DEFAULT NULL::integer, base_delay integer DEFAULT NULL::integer, \
            timeout integer DEFAULT NULL::integer) pgflow.flows v
            delete_flow_and_data(p_flow_slug text) void v
            ensure_flow_compiled(flow_slug text, shape jsonb, allow_data_loss boolean DEFAULT false) jsonb v
            ensure_workers() TABLE(function_name text, invoked boolean, request_id bigint) v
            fail_task(run_id uuid, step_slug text, task_index integer, error_message text) SETOF pgflow.step_tasks v
            get_run_with_states(run_id uuid) jsonb v definer
            is_local() boolean s
            is_valid_slug(slug text) boolean i
            mark_worker_stopped(worker_id uuid) void v
            maybe_complete_run(run_id uuid) void v
            poll_for_tasks(queue_name text, vt integer, qty integer, max_poll_seconds integer DEFAULT 5, \
            poll_interval_ms integer DEFAULT 100) SETOF pgflow.step_task_record v
            requeue_stalled_tasks() integer v definer
            set_vt_batch(queue_name text, msg_ids bigint[], vt_offsets integer[]) TABLE(msg_id bigint, read_ct integer, \
            enqueued_at timestamp with time zone, vt timestamp with time zone, message jsonb, headers jsonb) v
            setup_ensure_workers_cron(cron_interval text DEFAULT '1 second'::text) text v definer
            setup_requeue_stalled_tasks_cron(cron_interval text DEFAULT '15 seconds'::text) text v definer
            start_flow(flow_slug text, input jsonb, run_id uuid DEFAULT NULL::uuid) SETOF pgflow.runs v definer
            start_flow_with_states(flow_slug text, input jsonb, run_id uuid DEFAULT NULL::uuid) jsonb v definer
            start_ready_steps(run_id uuid) void v
            start_tasks(flow_slug text, msg_ids bigint[], worker_id uuid) SETOF pgflow.step_task_record v
            track_worker_function(function_name text) void v
            """;

    @Test
    void has31FunctionsOneOfEach(Flows db) {
        var contract = FUNCTIONS.lines().toList();
        assertThat(contract).hasSize(31);

        assertThat(db.lines("""
                        select concat_ws(' ', p.proname || '(' || pg_get_function_arguments(p.oid) || ')', pg_get_function_result(p.oid), p.provolatile,
                          case when p.prosecdef then 'definer' end)
                        from pg_proc p where p.pronamespace = 'pgflow'::regnamespace order by 1""")).containsAll(contract);
        assertThat(
                        db.lines(
                                "select proname from pg_proc where pronamespace = 'pgflow'::regnamespace group by 1 having count(*) > 1"))
                .isEmpty();
    }

    @Test
    void hasNoFunctionThatIsStrict(Flows db) {
        assertThat(db.lines("select proname from pg_proc where pronamespace = 'pgflow'::regnamespace and proisstrict"))
                .isEmpty();
    }

    @Test
    void givesNothingToThePublic(Flows db) {
        assertThat(db.line("""
                        select count(*) from pg_namespace n cross join lateral aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
                        where n.nspname = 'pgflow' and a.grantee = 0""")).isEqualTo("0");
    }

    @Test
    void hasTheTypeOfAStartedTask(Flows db) {
        assertThat(db.lines("""
                        select attname, format_type(atttypid, atttypmod) from pg_attribute
                        where attrelid = 'pgflow.step_task_record'::regclass and attnum > 0 order by attnum"""))
                .containsExactly(
                        "flow_slug text",
                        "run_id uuid",
                        "step_slug text",
                        "input jsonb",
                        "msg_id bigint",
                        "task_index integer",
                        "flow_input jsonb");
    }

    /** Columns: name, type, {@code !} where it may not be NULL, default. Our own ones come after these and have a default or may be NULL. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "flows | flow_slug text !, opt_max_attempts integer ! 3, opt_base_delay integer ! 1, opt_timeout integer ! 60, created_at timestamp with time zone ! now()",
                "steps | flow_slug text !, step_slug text !, step_type text ! 'single'::text, step_index integer ! 0, deps_count integer ! 0, opt_max_attempts integer, opt_base_delay integer, opt_timeout integer, opt_start_delay integer, required_input_pattern jsonb, forbidden_input_pattern jsonb, when_unmet text ! 'skip'::text, when_exhausted text ! 'fail'::text, created_at timestamp with time zone ! now()",
                "deps | flow_slug text !, dep_slug text !, step_slug text !, created_at timestamp with time zone ! now()",
                "runs | run_id uuid ! gen_random_uuid(), flow_slug text !, status text ! 'started'::text, input jsonb !, output jsonb, remaining_steps integer ! 0, started_at timestamp with time zone ! now(), completed_at timestamp with time zone, failed_at timestamp with time zone",
                "step_states | flow_slug text !, run_id uuid !, step_slug text !, status text ! 'created'::text, remaining_tasks integer, initial_tasks integer, remaining_deps integer ! 0, output jsonb, error_message text, skip_reason text, created_at timestamp with time zone ! now(), started_at timestamp with time zone, completed_at timestamp with time zone, failed_at timestamp with time zone, skipped_at timestamp with time zone",
                "step_tasks | flow_slug text !, run_id uuid !, step_slug text !, message_id bigint, task_index integer ! 0, status text ! 'queued'::text, attempts_count integer ! 0, error_message text, output jsonb, queued_at timestamp with time zone ! now(), started_at timestamp with time zone, completed_at timestamp with time zone, failed_at timestamp with time zone, last_worker_id uuid, requeued_count integer ! 0, last_requeued_at timestamp with time zone, permanently_stalled_at timestamp with time zone",
                "workers | worker_id uuid !, queue_name text !, function_name text !, started_at timestamp with time zone ! now(), deprecated_at timestamp with time zone, stopped_at timestamp with time zone, last_heartbeat_at timestamp with time zone ! now()",
                "worker_functions | function_name text !, enabled boolean ! true, debounce interval ! '00:00:06'::interval, last_invoked_at timestamp with time zone, created_at timestamp with time zone ! now(), updated_at timestamp with time zone ! now()",
            })
    void hasTheColumnsOfEachTable(String table, String columns, Flows db) {
        var there = db.lines("""
                select concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then '!' end, pg_get_expr(d.adbin, d.adrelid))
                from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                where a.attrelid = ('pgflow.' || ?)::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum""", table);
        var contract = columns.split(", ", -1);

        assertThat(there).startsWith(contract);
        assertThat(there.subList(contract.length, there.size())).allMatch(column -> !column.endsWith("!"));
    }

    /** Constraints that error messages name, or that allow what clients do by hand. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "flows | flows_pkey slug_is_valid opt_max_attempts_is_nonnegative opt_base_delay_is_nonnegative opt_timeout_is_positive",
                "steps | steps_pkey steps_flow_slug_fkey steps_step_slug_check steps_step_type_check steps_deps_count_check opt_max_attempts_is_nonnegative opt_base_delay_is_nonnegative opt_timeout_is_positive opt_start_delay_is_nonnegative required_input_pattern_is_object forbidden_input_pattern_is_object when_unmet_is_valid when_exhausted_is_valid steps_flow_slug_step_index_key",
                "deps | deps_pkey deps_flow_slug_fkey deps_flow_slug_dep_slug_fkey deps_flow_slug_step_slug_fkey deps_check",
                "runs | runs_pkey runs_flow_slug_fkey status_is_valid runs_remaining_steps_check completed_at_or_failed_at completed_at_is_after_started_at failed_at_is_after_started_at",
                "step_states | step_states_pkey step_states_run_id_fkey step_states_flow_slug_step_slug_fkey status_is_valid step_states_initial_tasks_check step_states_remaining_deps_check status_and_remaining_tasks_match remaining_tasks_state_consistency initial_tasks_known_when_started output_only_for_completed_or_null skip_reason_matches_status completed_at_or_failed_at_or_skipped_at started_at_is_after_created_at completed_at_is_after_started_at failed_at_is_after_started_at skipped_at_is_after_created_at",
                "step_tasks | step_tasks_pkey step_tasks_run_id_step_slug_fkey step_tasks_last_worker_id_fkey valid_status attempts_count_nonnegative output_valid_only_for_completed completed_at_or_failed_at completed_at_is_after_queued_at failed_at_is_after_queued_at started_at_is_after_queued_at completed_at_is_after_started_at failed_at_is_after_started_at",
                "workers | workers_pkey",
                "worker_functions | worker_functions_pkey worker_functions_debounce_check",
            })
    void hasTheConstraintsOfEachTable(String table, String constraints, Flows db) {
        assertThat(db.lines("select conname from pg_constraint where conrelid = ('pgflow.' || ?)::regclass", table))
                .contains(constraints.split(" ", -1));
        assertThat(
                        db.lines(
                                "select constraint_name from information_schema.check_constraints where constraint_schema = 'pgflow'"))
                .contains("initial_tasks_known_when_started");
    }

    /** What pgflow's own tests, and operators, write by hand. */
    @Test
    @CoreDatabase.Tampering
    void allowsWhatOthersWriteByHand(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b
                c
                """);
        db.run(
                "insert into pgflow.steps (flow_slug, step_slug, step_type, step_index, deps_count) values ('f', 'extra', 'single', 9, 0)");
        db.run(
                "insert into pgflow.workers (worker_id, queue_name, function_name, last_heartbeat_at) values (gen_random_uuid(), 'f', 'program', now())");
        var run = db.start("f", "1");
        db.run(
                "update pgflow.step_states set status = 'completed', remaining_tasks = 0, completed_at = now() where step_slug = 'a'");
        db.run("update pgflow.step_states set status = 'failed', failed_at = now() where step_slug = 'b'");
        db.run("""
                update pgflow.step_states set status = 'skipped', skipped_at = now(), skip_reason = 'anything', remaining_tasks = null
                where step_slug = 'c'""");
        db.run(
                "insert into pgflow.step_tasks (flow_slug, run_id, step_slug, task_index, message_id, status) values ('f', ?, 'a', 1, null, 'queued')",
                run);
        db.run("""
                update pgflow.step_states set created_at = created_at - interval '1 day', started_at = started_at - interval '1 day',
                  completed_at = completed_at - interval '1 day', failed_at = failed_at - interval '1 day', skipped_at = skipped_at - interval '1 day'""");

        assertThat(db.refusal("update pgflow.step_states set output = '1' where step_slug = 'b'")
                        .message())
                .isEqualTo(
                        "new row for relation \"step_states\" violates check constraint \"output_only_for_completed_or_null\"");
        for (var table :
                new String[] {"step_tasks", "step_states", "runs", "deps", "steps", "flows", "worker_functions"}) {
            db.run("delete from pgflow." + table);
        }
    }
}
