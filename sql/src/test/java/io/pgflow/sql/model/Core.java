package io.pgflow.sql.model;

import io.pgflow.sql.model.Definition.Options;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;

/** The SQL functions on a database that nobody else uses. They answer in lines, as {@link Model} does; NULL is a dash. */
final class Core implements AutoCloseable {
    /** What a task fails with that was put back too often. */
    static final String GIVEN_UP =
            "Task was given up: it was started four times or more, and no worker reported its end";

    private static final String STATE = """
            with messages as materialized (
              select m.*, extract(epoch from m.vt - clock_timestamp()) as hidden_for
              from (
                select 'alpha' as flow_slug, false as archived, msg_id, vt, message, headers from pgmq.q_alpha
                union all select 'alpha', true, msg_id, vt, message, headers from pgmq.a_alpha
                union all select 'beta', false, msg_id, vt, message, headers from pgmq.q_beta
                union all select 'beta', true, msg_id, vt, message, headers from pgmq.a_beta
              ) m
            )
            select concat(r.run_id, ' ', r.status, ' remaining ', r.remaining_steps, ' output ', coalesce(r.output::text, '-'),
              case when (r.completed_at is not null) <> (r.status = 'completed') or (r.failed_at is not null) <> (r.status = 'failed')
                then ' TIMES' end)
            from pgflow.runs r
            union all
            select concat(s.run_id, '.', s.step_slug, ' ', s.status, ' deps ', s.remaining_deps,
              ' tasks ', coalesce(s.remaining_tasks::text, '-'), ' of ', coalesce(s.initial_tasks::text, '-'),
              ' output ', coalesce(s.output::text, '-'), ' reason ', coalesce(s.skip_reason, '-'), ' error ', coalesce(s.error_message, '-'),
              case when s.started_at is not null then ' began' end,
              case when (s.completed_at is not null) <> (s.status = 'completed') or (s.failed_at is not null) <> (s.status = 'failed')
                or (s.skipped_at is not null) <> (s.status = 'skipped') then ' TIMES' end)
            from pgflow.step_states s
            union all
            select concat(t.run_id, '.', t.step_slug, '[', t.task_index, '] ', t.status, ' attempts ', t.attempts_count,
              ' claim ', t.claim_no, ' requeued ', t.requeued_count, case when t.permanently_stalled_at is not null then ' given up' end,
              ' output ', coalesce(t.output::text, '-'), ' error ', coalesce(t.error_message, '-'),
              ' worker ', coalesce(w.function_name, '-'),
              ' message ', rank() over (partition by t.run_id order by t.message_id) - 1, ' ',
              case
                when count(*) over (partition by t.run_id, t.step_slug, t.task_index) > 1 then 'TWICE'
                when m.archived then 'archived'
                when m.msg_id is null then 'NOWHERE'
                when m.hidden_for < 500 then 'visible'
                else 'hidden ' || round(m.hidden_for / 1000)
              end,
              case when (t.started_at is not null) <> (t.status <> 'queued') or (t.completed_at is not null) <> (t.status = 'completed')
                or (t.failed_at is not null) <> (t.status = 'failed') then ' TIMES' end)
            from pgflow.step_tasks t
            left join pgflow.workers w on w.worker_id = t.last_worker_id
            left join messages m on m.flow_slug = t.flow_slug and m.msg_id = t.message_id and m.headers is null and m.message
              = jsonb_build_object('flow_slug', t.flow_slug, 'run_id', t.run_id, 'step_slug', t.step_slug, 'task_index', t.task_index)
            union all
            select concat('STRAY ', m.message)
            from messages m
            where not exists (select from pgflow.step_tasks t where t.flow_slug = m.flow_slug and t.message_id = m.msg_id)""";

    private final Connection connection;

    Core(DataSource database) throws SQLException {
        connection = database.getConnection();
        lines("select pgflow.create_flow('alpha'), pgflow.create_flow('beta')");
        run("set lock_timeout = '30s'");
        run("set statement_timeout = '2min'");
        run("set plan_cache_mode = 'force_generic_plan'"); // for calls as small as these, planning would take most
        // of the time
        run("""
                create function pg_temp.coarse(moment timestamptz) returns text language sql as $$
                  select case when s < 500 then 'visible' else 'hidden ' || round(s / 1000) end
                  from extract(epoch from moment - clock_timestamp()) s
                $$""");
    }

    /** How long something is hidden, so roughly that a slow test does not matter: all times here are some thousand seconds. */
    static String coarse(int seconds) {
        return seconds < 500 ? "visible" : "hidden " + Math.round(seconds / 1000.0);
    }

    /** Forgets everything, and has these flows, and workers of these names. */
    void begin(List<Definition> flows, List<String> workers) throws SQLException {
        run("""
                delete from pgflow.step_tasks;
                delete from pgflow.step_states;
                delete from pgflow.runs;
                delete from pgflow.deps;
                delete from pgflow.steps;
                delete from pgflow.workers;
                delete from pgmq.q_alpha;
                delete from pgmq.a_alpha;
                delete from pgmq.q_beta;
                delete from pgmq.a_beta""");
        for (var worker : workers) lines("select pgflow.register_worker(?, 'any', ?)", id(worker), worker);
        for (var flow : flows) {
            tune(flow, null, flow.options());
            lines("select pgflow._create_flow_from_shape(?, ?::jsonb)", flow.slug(), shape(flow));
        }
    }

    /** As {@code ensure_flow_compiled} has it. */
    private static String shape(Definition flow) {
        return flow.steps().stream()
                .map(step -> """
                        {"slug": "%s", "stepType": "%s", "dependencies": %s, "whenUnmet": "%s", "whenExhausted": "%s",
                         "requiredInputPattern": %s, "forbiddenInputPattern": %s,
                         "options": {"maxAttempts": %s, "baseDelay": %s, "timeout": %s, "startDelay": %s}}""".formatted(
                        step.slug(),
                        step.map() ? "map" : "single",
                        new Json.Array(
                                step.dependencies().stream().map(Json::text).toList()),
                        step.whenUnmet(),
                        step.whenExhausted(),
                        pattern(step.required()),
                        pattern(step.forbidden()),
                        step.options().maxAttempts(),
                        step.options().baseDelay(),
                        step.options().timeout(),
                        step.startDelay()))
                .collect(Collectors.joining(", ", "{\"steps\": [", "]}"));
    }

    private static String pattern(@Nullable Json pattern) {
        return pattern == null ? "{\"defined\": false}" : "{\"defined\": true, \"value\": " + pattern + "}";
    }

    /** Cases leave dead rows behind. */
    void tidy() throws SQLException {
        run(
                "vacuum pgflow.step_tasks, pgflow.step_states, pgflow.runs, pgflow.deps, pgflow.steps, pgflow.flows, pgflow.workers, "
                        + "pgmq.q_alpha, pgmq.a_alpha, pgmq.q_beta, pgmq.a_beta");
    }

    static UUID id(String worker) {
        return new UUID(0, worker.charAt(0));
    }

    List<String> state() throws SQLException {
        return lines(STATE);
    }

    void tune(Definition flow, Definition.@Nullable Step step, Options options) throws SQLException {
        var columns =
                "set opt_max_attempts = ?::int, opt_base_delay = ?::int, opt_timeout = ?::int where flow_slug = ?";
        if (step == null) {
            run(
                    "update pgflow.flows " + columns,
                    options.maxAttempts(),
                    options.baseDelay(),
                    options.timeout(),
                    flow.slug());
        } else {
            run(
                    "update pgflow.steps " + columns + " and step_slug = ?",
                    options.maxAttempts(),
                    options.baseDelay(),
                    options.timeout(),
                    flow.slug(),
                    step.slug());
        }
    }

    List<String> startFlows(Definition flow, List<@Nullable Json> inputs, List<@Nullable UUID> ids)
            throws SQLException {
        return lines(
                "select concat(run_id, ' new ', is_new) from pgflow.start_flows(?, ?::jsonb[], ?)",
                flow.slug(),
                inputs.stream().map(Core::text).toArray(String[]::new),
                ids.toArray(UUID[]::new));
    }

    List<String> startFlow(Definition flow, @Nullable Json input, @Nullable UUID id) throws SQLException {
        return lines(
                "select concat(run_id, ' new t') from pgflow.start_flow(?, ?::jsonb, ?)", flow.slug(), text(input), id);
    }

    private static final String TOLD =
            "concat(run_id, '.', step_slug, '[', task_index, '] input ', input, ' of run ', coalesce(flow_input::text, '-')";

    List<String> claim(Definition flow, String worker, int quantity) throws SQLException {
        return lines(
                "select " + TOLD
                        + ", ' attempt ', attempt, ' claim ', claim_no, ' timeout ', timeout) from pgflow.claim_tasks(?, ?, ?)",
                flow.slug(),
                id(worker),
                quantity);
    }

    /** Reads messages; the ids. */
    Long[] read(Definition flow, int visibility, int quantity) throws SQLException {
        return lines("select msg_id from pgmq.read(?, ?, ?)", flow.slug(), visibility, quantity).stream()
                .map(Long::valueOf)
                .toArray(Long[]::new);
    }

    /** The tasks that the messages are of. */
    List<String> tasksOf(Definition flow, Long[] messages) throws SQLException {
        return lines(
                "select concat(run_id, '.', step_slug, '[', task_index, ']') from pgflow.step_tasks where flow_slug = ? and message_id = any (?)",
                flow.slug(),
                messages);
    }

    /** All tasks, in the order of their messages. */
    List<String> tasks() throws SQLException {
        return lines(
                "select concat(run_id, '.', step_slug, '[', task_index, ']') from pgflow.step_tasks order by flow_slug, message_id");
    }

    Long[] messagesOf(Definition flow) throws SQLException {
        return lines("select message_id from pgflow.step_tasks where flow_slug = ? order by message_id", flow.slug())
                .stream()
                .map(Long::valueOf)
                .toArray(Long[]::new);
    }

    List<String> startTasks(Definition flow, @Nullable Long[] messages, String worker) throws SQLException {
        return lines("select " + TOLD + ") from pgflow.start_tasks(?, ?, ?)", flow.slug(), messages, id(worker));
    }

    List<String> complete(List<Report> reports, @Nullable List<@Nullable String> workers) throws SQLException {
        return lines(
                """
                select concat(report, ' ', outcome, ' run ', coalesce(run_ended, '-'), ' ready ', ready, ' next ', coalesce(next_step, '-'),
                  ' timeout ', coalesce(next_timeout::text, '-'), ' input ', coalesce(next_input::text, '-'))
                from pgflow.complete_tasks(?, ?, ?, ?, ?::jsonb[], ?::uuid[])""",
                column(reports, Report::run, UUID[]::new),
                column(reports, Report::step, String[]::new),
                column(reports, Report::index, Integer[]::new),
                column(reports, Report::claim, Integer[]::new),
                column(reports, report -> text(report.output()), String[]::new),
                workers == null
                        ? null
                        : workers.stream()
                                .map(worker -> worker == null ? null : id(worker))
                                .toArray(UUID[]::new));
    }

    List<String> fail(List<Report> reports) throws SQLException {
        return lines(
                """
                select concat(report, ' ', outcome, ' in ' || pg_temp.coarse(retry_at), ' run ', coalesce(run_ended, '-'), ' ready ', ready)
                from pgflow.fail_tasks(?, ?, ?, ?, ?, ?, ?)""",
                column(reports, Report::run, UUID[]::new),
                column(reports, Report::step, String[]::new),
                column(reports, Report::index, Integer[]::new),
                column(reports, Report::claim, Integer[]::new),
                column(reports, Report::error, String[]::new),
                column(reports, Report::permanent, Boolean[]::new),
                column(reports, Report::retryAfter, Integer[]::new));
    }

    private static final String ROW =
            "concat(run_id, '.', step_slug, '[', task_index, '] ', status, ' attempts ', attempts_count)";

    List<String> completeOne(Report report) throws SQLException {
        return lines(
                "select " + ROW + " from pgflow.complete_task(?, ?, ?, ?::jsonb)",
                report.run(),
                report.step(),
                report.index(),
                text(report.output()));
    }

    List<String> failOne(Report report) throws SQLException {
        return lines(
                "select " + ROW + " from pgflow.fail_task(?, ?, ?, ?)",
                report.run(),
                report.step(),
                report.index(),
                report.error());
    }

    List<String> release(List<Report> reports) throws SQLException {
        return lines(
                "select pgflow.release_tasks(?, ?, ?, ?)",
                column(reports, Report::run, UUID[]::new),
                column(reports, Report::step, String[]::new),
                column(reports, Report::index, Integer[]::new),
                column(reports, Report::claim, Integer[]::new));
    }

    List<String> requeueStalled() throws SQLException {
        return lines("select pgflow.requeue_stalled_tasks()");
    }

    List<String> recover() throws SQLException {
        return lines("""
                select concat(r.run_id, '.', r.step_slug, '[', r.task_index, '] of ', coalesce(w.function_name, '-'), ' ', r.outcome)
                from pgflow.recover_tasks() r
                left join pgflow.workers w on w.worker_id = r.worker_id""");
    }

    List<String> forceSkip(UUID run, String step) throws SQLException {
        return lines("select pgflow._cascade_force_skip_steps(?, ?, 'by hand')", run, step);
    }

    /** What anybody may call at any time, as it only does what is due. */
    void nudge(UUID run) throws SQLException {
        lines("select pgflow.cascade_resolve_conditions(?)", run);
        lines("select pgflow.cascade_complete_taskless_steps(?)", run);
        run("select pgflow.start_ready_steps(?)", run);
        run("select pgflow.maybe_complete_run(?)", run);
    }

    /** Lets so much time pass for a task since it was started. */
    void age(Report task, int seconds) throws SQLException {
        run("""
                update pgflow.step_tasks
                set queued_at = queued_at - make_interval(secs => ?), started_at = started_at - make_interval(secs => ?)
                where run_id = ? and step_slug = ? and task_index = ?""", seconds, seconds, task.run(), task.step(), task.index());
    }

    /** Lets all messages become visible that are hidden for less than that. */
    void show(Definition flow, int seconds) throws SQLException {
        run(
                "update pgmq.q_" + flow.slug()
                        + " set vt = clock_timestamp() where vt > clock_timestamp() and vt < clock_timestamp() + make_interval(secs => ?)",
                seconds);
    }

    List<String> stopWorker(String worker) throws SQLException {
        return lines("select pgflow.mark_worker_stopped(?)", id(worker));
    }

    List<String> reviveWorker(String worker) throws SQLException {
        return lines("select pgflow.heartbeat(?)", id(worker));
    }

    private static @Nullable String text(@Nullable Json value) {
        return value == null ? null : value.toString();
    }

    private static <T> T[] column(List<Report> reports, Function<Report, @Nullable T> value, IntFunction<T[]> array) {
        return reports.stream().map(value).toArray(array);
    }

    private void run(String sql, @Nullable Object... arguments) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) statement.setObject(i + 1, parameter(arguments[i]));
            statement.execute();
        }
    }

    /** The first column of all rows; or the error, which is an answer too, if it is one of bad input. */
    private List<String> lines(String sql, @Nullable Object... arguments) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) statement.setObject(i + 1, parameter(arguments[i]));
            try (var rows = statement.executeQuery()) {
                return firstColumn(rows);
            }
        } catch (PSQLException e) {
            var error = e.getServerErrorMessage();
            return switch (String.valueOf(e.getSQLState())) {
                case "P0001" -> List.of("P0001 " + (error == null ? null : error.getMessage()));
                case "23502", "23505" -> List.of(String.valueOf(e.getSQLState()));
                default -> throw e;
            };
        }
    }

    private static List<String> firstColumn(ResultSet rows) throws SQLException {
        var lines = new ArrayList<String>();
        while (rows.next()) lines.add(String.valueOf(rows.getString(1)));
        return lines;
    }

    private @Nullable Object parameter(@Nullable Object argument) throws SQLException {
        return switch (argument) {
            case UUID[] ids -> connection.createArrayOf("uuid", ids);
            case String[] texts -> connection.createArrayOf("text", texts);
            case Integer[] numbers -> connection.createArrayOf("int4", numbers);
            case Long[] numbers -> connection.createArrayOf("int8", numbers);
            case Boolean[] flags -> connection.createArrayOf("bool", flags);
            case null, default -> argument;
        };
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
