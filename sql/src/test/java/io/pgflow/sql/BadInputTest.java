package io.pgflow.sql;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What every function does with arguments that make no sense: NULLs, ids of nothing, hostile texts, arrays that do not go together. It says
 * clearly what is wrong, or does nothing.
 */
@ExtendWith(CoreDatabase.class)
class BadInputTest {
    /** Stands for values in the table: the run, the worker, an id of nothing, and a text to break out of quotes with. */
    private static final Map<String, String> NAMES = Map.of(
            "R", "00000000-0000-0000-0000-00000000000a",
            "W", Flows.WORKER.toString(),
            "U", "99999999-9999-9999-9999-999999999999",
            "H", "x\"'; drop schema pgflow cascade; --");

    /**
     * A call a line, and after it: {@code = rows} that come back while nothing is changed (as {@link SqlSession#lines}), {@code ! message} with which
     * it is refused, or {@code ~}: it is a good call after all, and belongs here only since its argument is a NULL or looks odd.
     */
    private static final String TABLE = """
            _archive_task_message(null, 'a', 0) = -
            _archive_task_message(U, 'a', 0) = -
            _archive_task_message(R, null, 0) = -
            _archive_task_message(R, H, 0) = -
            _archive_task_message(R, 'a', null) = -
            _archive_task_message(R, 'a', -1) = -
            _cascade_force_skip_steps(null, 'a', 'why') ! Run not found: <NULL>
            _cascade_force_skip_steps(U, 'a', 'why') ! Run not found: U
            _cascade_force_skip_steps(R, null, 'why') = 0
            _cascade_force_skip_steps(R, H, 'why') = 0
            _cascade_force_skip_steps(R, 'a', null) ! new row for relation "step_states" violates check constraint "skip_reason_matches_status"
            _cascade_force_skip_steps(R, 'a', H) ~
            _compare_flow_shapes(null, '{}') = {}
            _compare_flow_shapes('{}', null) = {}
            _compare_flow_shapes('[]', 'null') = {}
            _compare_flow_shapes('{"steps": 1}', '{}') ! cannot get array length of a scalar
            _create_flow_from_shape(null, '{}') ! null value in column "flow_slug" of relation "flows" violates not-null constraint
            _create_flow_from_shape(H, '{}') ! new row for relation "flows" violates check constraint "slug_is_valid"
            _create_flow_from_shape('g', null) ! The shape of flow g must be an object with an array of steps, not <NULL>
            _create_flow_from_shape('g', 'null') ! The shape of flow g must be an object with an array of steps, not null
            _create_flow_from_shape('g', '[]') ! The shape of flow g must be an object with an array of steps, not []
            _create_flow_from_shape('g', '{"steps": 1}') ! The shape of flow g must be an object with an array of steps, not {"steps": 1}
            _create_flow_from_shape('g', '{"steps": [1]}') ! null value in column "step_slug" of relation "steps" violates not-null constraint
            _get_flow_shape(null) = {"steps": []}
            _get_flow_shape(H) = {"steps": []}
            add_step(null, 'z') ! null value in column "flow_slug" of relation "steps" violates not-null constraint
            add_step(H, 'z') ! insert or update on table "steps" violates foreign key constraint "steps_flow_slug_fkey"
            add_step('f', null) ! null value in column "step_slug" of relation "steps" violates not-null constraint
            add_step('f', H) ! new row for relation "steps" violates check constraint "steps_step_slug_check"
            add_step('f', 'z', array[null]) ! null value in column "dep_slug" of relation "deps" violates not-null constraint
            add_step('f', 'z', array[H]) ! insert or update on table "deps" violates foreign key constraint "deps_flow_slug_dep_slug_fkey"
            add_step('f', 'z', null, null, null, null, null, null, null, null) ~
            add_step('f', 'z', '{}', 1, 1, 1, 1, H) ! new row for relation "steps" violates check constraint "steps_step_type_check"
            add_step('f', 'z', '{}', 1, 1, 1, 1, 'single', '{}', '{}', null) ! null value in column "when_unmet" of relation "steps" violates not-null constraint
            add_step('f', 'z', '{}', 1, 1, 1, 1, 'single', '{}', '{}', H) ! new row for relation "steps" violates check constraint "when_unmet_is_valid"
            add_step('f', 'z', '{}', 1, 1, 1, 1, 'single', '{}', '{}', 'skip', null) ! null value in column "when_exhausted" of relation "steps" violates not-null constraint
            add_step('f', 'z', '{}', 1, 1, 1, 1, 'single', '{}', '{}', 'skip', H) ! new row for relation "steps" violates check constraint "when_exhausted_is_valid"
            await_runs(null) =
            await_runs(array[null]::uuid[]) =
            await_runs(array[U]::uuid[]) =
            calculate_retry_delay(null, 1) = -
            calculate_retry_delay(5, null) = -
            cascade_complete_taskless_steps(null) = 0
            cascade_complete_taskless_steps(U) = 0
            cascade_resolve_conditions(null) = t
            cascade_resolve_conditions(U) = t
            claim_tasks(null, W, 5) ! claim_tasks needs a flow, a worker and a qty of 0 or more, not flow <NULL>, worker W, qty 5
            claim_tasks(H, W, 5) ! queue name contains invalid characters: $, ;, --, or \\'
            claim_tasks('unknown', W, 5) ! relation "pgmq.q_unknown" does not exist
            claim_tasks('idle', null, 5) ! claim_tasks needs a flow, a worker and a qty of 0 or more, not flow idle, worker <NULL>, qty 5
            claim_tasks('idle', U, 5) ! insert or update on table "step_tasks" violates foreign key constraint "step_tasks_last_worker_id_fkey"
            claim_tasks('idle', W, null) ! claim_tasks needs a flow, a worker and a qty of 0 or more, not flow idle, worker W, qty <NULL>
            claim_tasks('idle', W, -1) ! claim_tasks needs a flow, a worker and a qty of 0 or more, not flow idle, worker W, qty -1
            claim_tasks('idle', W, 0) =
            cleanup_ensure_workers_logs(null) ! cleanup_ensure_workers_logs needs pg_cron, which this database does not have (looked for cron.job_run_details)
            complete_task(null, 'a', 0, '[]') =
            complete_task(U, 'a', 0, '[]') =
            complete_task(R, null, 0, '[]') =
            complete_task(R, H, 0, '[]') =
            complete_task(R, 'a', null, '[]') =
            complete_task(R, 'a', -1, '[]') =
            complete_task(R, 'a', 0, null) ~
            complete_tasks(null, array['a'], array[0], array[1], '{1}') ! run_ids, step_slugs, task_indexes, claim_nos and outputs must have one length, not {NULL,1,1,1,1}
            complete_tasks(array[R]::uuid[], null, array[0], array[1], '{1}') ! run_ids, step_slugs, task_indexes, claim_nos and outputs must have one length, not {1,NULL,1,1,1}
            complete_tasks(array[R]::uuid[], array['a'], null, array[1], '{1}') ! run_ids, step_slugs, task_indexes, claim_nos and outputs must have one length, not {1,1,NULL,1,1}
            complete_tasks(array[R]::uuid[], array['a'], array[0], null, '{1}') ! run_ids, step_slugs, task_indexes, claim_nos and outputs must have one length, not {1,1,1,NULL,1}
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[1], null) ! run_ids, step_slugs, task_indexes, claim_nos and outputs must have one length, not {1,1,1,1,NULL}
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[1], '{}') ! run_ids, step_slugs, task_indexes, claim_nos and outputs must have one length, not {1,1,1,1,0}
            complete_tasks(array[null]::uuid[], array['a'], array[0], array[1], '{1}') = 1 - late - - f - - -
            complete_tasks(array[U]::uuid[], array['a'], array[0], array[1], '{1}') = 1 U late - - f - - -
            complete_tasks(array[R]::uuid[], array[null], array[0], array[1], '{1}') = 1 R late - - f - - -
            complete_tasks(array[R]::uuid[], array[H], array[0], array[1], '{1}') = 1 R late - - f - - -
            complete_tasks(array[R]::uuid[], array['a'], array[null]::int[], array[1], '{1}') = 1 R late - - f - - -
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[-1], '{1}') = 1 R late - - f - - -
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[1], '{1}', '{}') ! worker_ids must have the length of run_ids, 1 instead of 0
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[1], '{1}', array[W, U]::uuid[]) ! worker_ids must have the length of run_ids, 1 instead of 2
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[-1], '{1}', null) = 1 R late - - f - - -
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[-1], '{1}', array[null]::uuid[]) = 1 R late - - f - - -
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[-1], '{1}', array[U]::uuid[]) = 1 R late - - f - - -
            complete_tasks(null, null, null, null, null, array[W]::uuid[]) =
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[1], '{[1]}', null) ~
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[1], '{[1]}', array[null]::uuid[]) ~
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[1], '{[1]}', array[U]::uuid[]) ~
            complete_tasks(array[R]::uuid[], array['a'], array[0], array[1], '{[1]}', array[[W]]::uuid[]) ~
            create_flow(null) ! null value in column "flow_slug" of relation "flows" violates not-null constraint
            create_flow(H) ! new row for relation "flows" violates check constraint "slug_is_valid"
            create_flow('g', null, null, null) ~
            delete_flow_and_data(null) =
            delete_flow_and_data(H) =
            delete_flow_and_data('unknown') =
            enable_notifications(null, 100) ! flow "<NULL>" does not exist
            enable_notifications(H, 100) ! flow "H" does not exist
            enable_notifications('f', null) ! null value in column "throttle_interval_ms" of relation "notify_insert_throttle" violates not-null constraint
            enable_notifications('f', -1) ! throttle_interval_ms must be non-negative
            ensure_flow_compiled(null, '{}') ! null value in column "flow_slug" of relation "flows" violates not-null constraint
            ensure_flow_compiled(H, '{}') ! new row for relation "flows" violates check constraint "slug_is_valid"
            ensure_flow_compiled('g', null) ! The shape of flow g must be an object with an array of steps, not <NULL>
            ensure_flow_compiled('f', null, true) ! The shape of flow f must be an object with an array of steps, not <NULL>
            ensure_flow_compiled('idle', '{}', null) = {"status": "mismatch", "differences": ["Step count differs: 0 vs 1", "Step at index 0: missing in first shape (second has 'b')"]}
            fail_task(null, 'a', 0, 'no') =
            fail_task(U, 'a', 0, 'no') =
            fail_task(R, null, 0, 'no') =
            fail_task(R, H, 0, 'no') =
            fail_task(R, 'a', null, 'no') =
            fail_task(R, 'a', 0, null) ~
            fail_task(R, 'a', 0, H) ~
            fail_tasks(null, array['a'], array[0], array[1], array['no']) ! run_ids, step_slugs, task_indexes, claim_nos, error_messages, permanent and retry_after must have one length, not {NULL,1,1,1,1,NULL,NULL}
            fail_tasks(array[R]::uuid[], null, array[0], array[1], array['no']) ! run_ids, step_slugs, task_indexes, claim_nos, error_messages, permanent and retry_after must have one length, not {1,NULL,1,1,1,1,1}
            fail_tasks(array[R]::uuid[], array['a'], null, array[1], array['no']) ! run_ids, step_slugs, task_indexes, claim_nos, error_messages, permanent and retry_after must have one length, not {1,1,NULL,1,1,1,1}
            fail_tasks(array[R]::uuid[], array['a'], array[0], null, array['no']) ! run_ids, step_slugs, task_indexes, claim_nos, error_messages, permanent and retry_after must have one length, not {1,1,1,NULL,1,1,1}
            fail_tasks(array[R]::uuid[], array['a'], array[0], array[1], null) ! run_ids, step_slugs, task_indexes, claim_nos, error_messages, permanent and retry_after must have one length, not {1,1,1,1,NULL,1,1}
            fail_tasks(array[R]::uuid[], array['a'], array[0], array[1], array['no'], '{}') ! run_ids, step_slugs, task_indexes, claim_nos, error_messages, permanent and retry_after must have one length, not {1,1,1,1,1,0,1}
            fail_tasks(array[R]::uuid[], array['a'], array[0], array[1], array['no'], null, '{}') ! run_ids, step_slugs, task_indexes, claim_nos, error_messages, permanent and retry_after must have one length, not {1,1,1,1,1,1,0}
            fail_tasks(array[null]::uuid[], array['a'], array[0], array[1], array['no']) = 1 - late - - - f
            fail_tasks(array[U]::uuid[], array['a'], array[0], array[1], array['no']) = 1 U late - - - f
            fail_tasks(array[R]::uuid[], array[null], array[0], array[1], array['no']) = 1 R late - - - f
            fail_tasks(array[R]::uuid[], array[H], array[0], array[1], array['no']) = 1 R late - - - f
            fail_tasks(array[R]::uuid[], array['a'], array[null]::int[], array[1], array['no']) = 1 R late - - - f
            fail_tasks(array[R]::uuid[], array['a'], array[0], array[-1], array['no']) = 1 R late - - - f
            fail_tasks(array[R]::uuid[], array['a'], array[0], array[1], array[H], null, null) ~
            get_run_with_states(null) = -
            get_run_with_states(U) = -
            grant_client(null) ! role "<NULL>" does not exist
            grant_client(H) ! role "H" does not exist
            grant_worker(null) ! role "<NULL>" does not exist
            grant_worker(H) ! role "H" does not exist
            heartbeat(null) = unknown
            heartbeat(U) = unknown
            is_valid_slug(null) = f
            is_valid_slug(H) = f
            mark_worker_stopped(null) = -
            mark_worker_stopped(U) = -
            maybe_complete_run(null) =
            maybe_complete_run(U) =
            next_message_delay(null) ! next_message_delay needs a flow
            next_message_delay(H) ! queue name contains invalid characters: $, ;, --, or \\'
            next_message_delay('unknown') ! relation "pgmq.q_unknown" does not exist
            poll_for_tasks(null, null, null, null, null) =
            poll_for_tasks(H, 1, 1) =
            prune_data_older_than(null) =
            register_worker(null, 'f', 'p') ! null value in column "worker_id" of relation "workers" violates not-null constraint
            register_worker(U, null, 'p') ! null value in column "queue_name" of relation "workers" violates not-null constraint
            register_worker(U, 'f', null) ! null value in column "function_name" of relation "workers" violates not-null constraint
            register_worker(U, 'f', 'p', interval '-1 s') ! new row for relation "workers" violates check constraint "heartbeat_interval_is_positive"
            register_worker(U, H, 'p', null) ~
            register_worker(U, 'f', H, null) ~
            release_lost_tasks(null, W, '{}', '{}', '{}', '{}') ! release_lost_tasks needs a flow
            release_lost_tasks(H, W, '{}', '{}', '{}', '{}') ! queue name contains invalid characters: $, ;, --, or \\'
            release_lost_tasks('f', null, '{}', '{}', '{}', '{}') = 0
            release_lost_tasks('f', U, '{}', '{}', '{}', '{}') = 0
            release_lost_tasks('f', W, null, array['a'], array[0], array[1]) ! run_ids, step_slugs, task_indexes and claim_nos must have one length, not {NULL,1,1,1}
            release_lost_tasks('f', W, array[R]::uuid[], null, array[0], array[1]) ! run_ids, step_slugs, task_indexes and claim_nos must have one length, not {1,NULL,1,1}
            release_lost_tasks('f', W, array[R]::uuid[], array['a'], null, array[1]) ! run_ids, step_slugs, task_indexes and claim_nos must have one length, not {1,1,NULL,1}
            release_lost_tasks('f', W, array[R]::uuid[], array['a'], array[0], null) ! run_ids, step_slugs, task_indexes and claim_nos must have one length, not {1,1,1,NULL}
            release_lost_tasks('f', W, array[R, U]::uuid[], array['a', H], array[0, 0], array[1, 1]) = 0
            release_tasks(null, array['a'], array[0], array[1]) ! run_ids, step_slugs, task_indexes and claim_nos must have one length, not {NULL,1,1,1}
            release_tasks(array[R]::uuid[], null, array[0], array[1]) ! run_ids, step_slugs, task_indexes and claim_nos must have one length, not {1,NULL,1,1}
            release_tasks(array[R]::uuid[], array['a'], null, array[1]) ! run_ids, step_slugs, task_indexes and claim_nos must have one length, not {1,1,NULL,1}
            release_tasks(array[R]::uuid[], array['a'], array[0], null) ! run_ids, step_slugs, task_indexes and claim_nos must have one length, not {1,1,1,NULL}
            release_tasks(array[U]::uuid[], array['a'], array[0], array[1]) = 0
            release_tasks(array[R]::uuid[], array[H], array[0], array[1]) = 0
            release_tasks(array[R]::uuid[], array['a'], array[0], array[null]::int[]) = 0
            set_vt_batch(null, '{1}', '{0}') ! set_vt_batch needs a queue
            set_vt_batch(null, null, '{0}') =
            set_vt_batch(H, '{1}', '{0}') ! queue name contains invalid characters: $, ;, --, or \\'
            set_vt_batch('unknown', '{1}', '{0}') ! relation "pgmq.q_unknown" does not exist
            set_vt_batch('f', null, '{0}') =
            set_vt_batch('f', '{1}', null) =
            set_vt_batch('f', '{1, 2}', '{0}') ! msg_ids length (2) must equal vt_offsets length (1)
            set_vt_batch('f', '{NULL}', '{0}') =
            set_vt_batch('f', '{1}', '{NULL}') ! null value in column "vt" of relation "q_f" violates not-null constraint
            setup_ensure_workers_cron(null) ! setup_ensure_workers_cron needs pg_cron, which this database does not have (looked for cron.job)
            setup_ensure_workers_cron(H) ! setup_ensure_workers_cron needs pg_cron, which this database does not have (looked for cron.job)
            setup_requeue_stalled_tasks_cron(null) ! setup_requeue_stalled_tasks_cron needs pg_cron, which this database does not have (looked for cron.job)
            setup_requeue_stalled_tasks_cron(H) ! setup_requeue_stalled_tasks_cron needs pg_cron, which this database does not have (looked for cron.job)
            start_flow(null, '1') ! null value in column "flow_slug" of relation "runs" violates not-null constraint
            start_flow(H, '1') ! insert or update on table "runs" violates foreign key constraint "runs_flow_slug_fkey"
            start_flow('f', null) ! null value in column "input" of relation "runs" violates not-null constraint
            start_flow('f', '1', R) ! duplicate key value violates unique constraint "runs_pkey"
            start_flow('f', '1', U) ~
            start_flow('f', '1', null) ~
            start_flow_with_states(null, '1') ! null value in column "flow_slug" of relation "runs" violates not-null constraint
            start_flow_with_states(H, '1') ! insert or update on table "runs" violates foreign key constraint "runs_flow_slug_fkey"
            start_flow_with_states('f', null) ! null value in column "input" of relation "runs" violates not-null constraint
            start_flow_with_states('f', '1', R) ! duplicate key value violates unique constraint "runs_pkey"
            start_flow_with_states('f', '1', U) ~
            start_flow_with_states('f', '1', null) ~
            start_flows(null, '{1}') ! null value in column "flow_slug" of relation "runs" violates not-null constraint
            start_flows(H, '{1}') ! insert or update on table "runs" violates foreign key constraint "runs_flow_slug_fkey"
            start_flows('f', null) =
            start_flows('f', '{NULL}') ! null value in column "input" of relation "runs" violates not-null constraint
            start_flows('f', null, array[U]::uuid[]) ! run_ids length (1) must equal inputs length (<NULL>)
            start_flows('f', '{1, 2}', array[R]::uuid[]) ! run_ids length (1) must equal inputs length (2)
            start_flows('idle', '{1}', array[R]::uuid[]) ! Run R belongs to flow f, not to idle
            start_flows('f', '{1}', null) ~
            start_ready_steps(null) =
            start_ready_steps(U) =
            start_tasks(null, '{1}', W) =
            start_tasks(H, '{1}', W) =
            start_tasks('idle', null, W) =
            start_tasks('idle', '{NULL, 99}', W) =
            start_tasks('idle', '{1}', U) ! insert or update on table "step_tasks" violates foreign key constraint "step_tasks_last_worker_id_fkey"
            start_tasks('idle', '{1}', null) ~
            track_worker_function(null) ! null value in column "function_name" of relation "worker_functions" violates not-null constraint
            track_worker_function(H) ~
            """;

    /** One call of the table; {@code what} is the sign after it. */
    private record Call(String function, List<String> arguments, char what, String expected) {
        private static final Pattern LINE = Pattern.compile("(\\w+)\\((.*?)\\) ([=!~]) ?(.*)");
        private static final Pattern ARGUMENT = Pattern.compile("(?:'[^']*'|\\[[^]]*]|[^,'\\[])+");
        private static final Pattern NAME = Pattern.compile("\\b[RWUH]\\b");

        static Call read(String line) {
            var call = LINE.matcher(line);
            if (!call.matches()) throw new IllegalArgumentException(line);
            var arguments = ARGUMENT.matcher(call.group(2))
                    .results()
                    .map(argument -> argument.group().strip())
                    .toList();
            return new Call(call.group(1), arguments, call.group(3).charAt(0), named(call.group(4), ""));
        }

        private static String named(String text, String quote) {
            return NAME.matcher(text)
                    .replaceAll(name -> Matcher.quoteReplacement(quote
                            + requireNonNull(NAMES.get(name.group())).replace("'", quote.isEmpty() ? "'" : "''")
                            + quote));
        }

        String sql() {
            return "select * from pgflow." + function + "(" + named(String.join(", ", arguments), "'") + ")";
        }

        boolean passes(String value, int position) {
            return position <= arguments.size()
                    && Pattern.compile("\\b" + value + "\\b")
                            .matcher(arguments.get(position - 1))
                            .find();
        }
    }

    private static final List<Call> CALLS = TABLE.lines().map(Call::read).toList();

    /** Those that somebody may call: all but ours with an underscore. By name, position and type of each parameter. */
    private static final String PARAMETERS = """
            select p.proname, a.position, format_type(a.type, null)
            from pg_proc p
            cross join lateral unnest(p.proargtypes::oid[]) with ordinality a (type, position)
            where p.pronamespace = 'pgflow'::regnamespace
              and (p.proname not like '\\_%' or p.proname in (
                '_archive_task_message', '_cascade_force_skip_steps', '_compare_flow_shapes', '_create_flow_from_shape', '_get_flow_shape'))
            order by 1, 2""";

    private static final String STATE = """
            select md5(concat_ws(' ',
              (select string_agg(t::text, ' ' order by t::text) from pgflow.flows t),
              (select string_agg(t::text, ' ' order by t::text) from pgflow.steps t),
              (select string_agg(t::text, ' ' order by t::text) from pgflow.deps t),
              (select string_agg(t::text, ' ' order by t::text) from pgflow.runs t),
              (select string_agg(t::text, ' ' order by t::text) from pgflow.step_states t),
              (select string_agg(t::text, ' ' order by t::text) from pgflow.step_tasks t),
              (select string_agg(t::text, ' ' order by t::text) from pgflow.workers t),
              (select string_agg(t::text, ' ' order by t::text) from pgflow.worker_functions t),
              (select string_agg(t::text, ' ' order by t::text) from pgmq.q_f t),
              (select string_agg(t::text, ' ' order by t::text) from pgmq.a_f t),
              (select string_agg(t::text, ' ' order by t::text) from pgmq.q_idle t),
              (select string_agg(t::text, ' ' order by t::text) from pgmq.a_idle t),
              (select string_agg(queue_name, ' ' order by queue_name) from pgmq.list_queues()),
              (select count(*) from pg_class), (select count(*) from pg_proc), (select count(*) from pg_roles)))""";

    /** A run with a started task, and a flow whose task waits. */
    @BeforeEach
    void start(Flows db) {
        db.define("f", """
                a
                m map: a
                """);
        db.run("select pgflow.start_flow('f', '1', ?)", UUID.fromString(NAMES.get("R")));
        db.claimOne("f");
        db.define("idle", "b");
        db.start("idle", "1");
    }

    @TestFactory
    List<DynamicTest> isRefusedClearlyOrDoesNothing(Flows db) {
        return CALLS.stream()
                .map(call -> DynamicTest.dynamicTest(call.sql(), () -> {
                    db.begin();
                    try {
                        check(db, call);
                    } finally {
                        db.rollback();
                    }
                }))
                .toList();
    }

    private static void check(Flows db, Call call) {
        switch (call.what()) {
            case '!' -> assertThat(db.refusal(call.sql()).message()).isEqualTo(call.expected());
            case '~' -> db.lines(call.sql());
            default -> {
                var before = db.line(STATE);
                var lines = db.lines(call.sql()).stream().filter(line -> !line.isEmpty());
                assertThat(String.join("; ", lines.toList())).isEqualTo(call.expected());
                assertThat(db.line(STATE)).as("state of the database").isEqualTo(before);
            }
        }
    }

    /** So that a new function, or a new parameter, needs new lines above. */
    @Test
    void isTriedForEveryParameterOfEveryFunction(Flows db) {
        var missing = db.lines(PARAMETERS).stream()
                .filter(line -> {
                    var parameter = line.split(" ", 3);
                    int position = Integer.parseInt(parameter[1]);
                    var calls = CALLS.stream().filter(call -> call.function().equals(parameter[0]));
                    var values = switch (parameter[2]) {
                        case "text", "text[]", "name" -> List.of("null", "H");
                        case "uuid", "uuid[]" -> List.of("null", "[RWU]");
                        default -> List.of("null");
                    };
                    var tried = calls.toList();
                    return !values.stream()
                            .allMatch(value -> tried.stream().anyMatch(call -> call.passes(value, position)));
                })
                .toList();
        assertThat(missing).as("function, position, type").isEmpty();
    }

    @Test
    void ofAnotherTypeIsRefused(Flows db) {
        var parameters = db.lines(PARAMETERS);
        assertThat(parameters).hasSizeGreaterThan(80);
        for (var line : parameters) {
            var parameter = line.split(" ", 3);
            if (List.of("text", "name").contains(parameter[2])) continue;
            var arguments = parameters.stream()
                    .filter(other -> other.startsWith(parameter[0] + " "))
                    .map(other -> other.equals(line) ? "'%'" : "null")
                    .toList();
            assertThat(db.refusal("select pgflow." + parameter[0] + "(" + String.join(", ", arguments) + ")")
                            .state())
                    .as(line)
                    .isIn("22P02", "22007"); // invalid text, invalid interval
        }
    }
}
