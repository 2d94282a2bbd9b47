package io.pgflow.testing;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/**
 * What holds in every database whenever no transaction is under way: counters equal a recount, what can go on has been set going, the queues hold
 * exactly the open tasks, and, where {@link Endings} are kept, whatever ended did so once.
 */
public final class Invariants {

    /** Breaches, as lines of rule, run, step. A dependency counts as settled where it completed or was skipped without a cascade. */
    private static final String OF_STATES = """
            with steps as materialized (
              select s.*, d.step_type, d.deps_count, r.status as run_status, r.remaining_steps,
                count(t.task_index) as tasks,
                count(t.task_index) filter (where t.status = 'completed') as completed_tasks,
                count(t.task_index) filter (where t.status in ('queued', 'started')) as open_tasks,
                count(t.task_index) filter (where t.status = 'completed' and t.claim_no = 0) as unclaimed_tasks,
                d.when_unmet, d.when_exhausted
              from pgflow.step_states s
              join pgflow.steps d on d.flow_slug = s.flow_slug and d.step_slug = s.step_slug
              join pgflow.runs r on r.run_id = s.run_id and r.flow_slug = s.flow_slug
              left join pgflow.step_tasks t on t.run_id = s.run_id and t.step_slug = s.step_slug
              group by s.run_id, s.step_slug, d.flow_slug, d.step_slug, r.run_id
            ),
            settled as (
              select d.flow_slug, s.run_id, d.step_slug, count(*) as deps
              from pgflow.deps d
              join steps s on s.flow_slug = d.flow_slug and s.step_slug = d.dep_slug
              where s.status = 'completed'
                 or s.skip_reason = 'condition_unmet' and s.when_unmet = 'skip'
                 or s.skip_reason = 'handler_failed' and s.when_exhausted = 'skip'
              group by d.flow_slug, s.run_id, d.step_slug
            ),
            counted as (
              select
                x.run_id,
                count(*) filter (where x.status not in ('completed', 'skipped')) as open,
                count(*) filter (where x.status = 'failed') as failed,
                count(*) filter (where x.status = 'started') as started
              from steps x
              group by x.run_id
            ),
            checked as (
              select s.run_id, s.step_slug, unnest(array[
                case when s.status = 'started' and s.run_status = 'started' and s.remaining_tasks <> s.open_tasks
                  then format('remaining_tasks is %s, open tasks are %s', s.remaining_tasks, s.open_tasks) end,
                case when s.remaining_tasks <> s.initial_tasks - s.completed_tasks
                  then format('remaining_tasks is %s with %s of %s tasks completed', s.remaining_tasks, s.completed_tasks, s.initial_tasks) end,
                case when s.status in ('started', 'completed') and s.remaining_tasks is null then s.status || ' without remaining_tasks' end,
                case when s.status in ('started', 'completed') and s.tasks <> s.initial_tasks
                  then format('%s tasks, not %s', s.tasks, s.initial_tasks) end,
                case when s.status = 'created' and s.tasks > 0 then 'created with tasks' end,
                case when s.remaining_deps <> s.deps_count - coalesce(e.deps, 0)
                  then format('remaining_deps is %s with %s of %s settled', s.remaining_deps, coalesce(e.deps, 0), s.deps_count) end,
                case when s.run_status = 'started' and s.status = 'created' and s.remaining_deps = 0 then 'ready but not started' end,
                case when s.status = 'started' and s.remaining_tasks = 0 then 'started with nothing left to do' end,
                case when s.unclaimed_tasks > 0 then format('%s tasks completed without a claim', s.unclaimed_tasks) end,
                case when s.run_status <> 'failed' and s.status = 'failed' then 'failed in a run that has not' end,
                case when s.status = 'completed' and s.step_type = 'map' and jsonb_array_length(s.output) <> s.initial_tasks
                  then format('%s outputs of %s tasks', jsonb_array_length(s.output), s.initial_tasks) end
              ]) as breach
              from steps s
              left join settled e on e.run_id = s.run_id and e.step_slug = s.step_slug
              union all
              select r.run_id, null, unnest(array[
                case when r.remaining_steps <> s.open then format('remaining_steps is %s, open steps are %s', r.remaining_steps, s.open) end,
                case when (r.status = 'completed') <> (s.open = 0) then format('%s with %s open steps', r.status, s.open) end,
                case when (r.status = 'failed') <> (s.failed > 0) then format('%s with %s failed steps', r.status, s.failed) end,
                case when r.status = 'started' and s.started = 0 then 'started, but none of its steps is' end,
                case when (r.status = 'completed') <> (r.completed_at is not null) or (r.status = 'failed') <> (r.failed_at is not null)
                  then 'times do not match status' end
              ])
              from pgflow.runs r
              left join counted c on c.run_id = r.run_id
              cross join lateral (select coalesce(c.open, 0) as open, coalesce(c.failed, 0) as failed, coalesce(c.started, 0) as started) s
            )
            select concat_ws(' ', c.run_id, c.step_slug || ':', c.breach) from checked c where c.breach is not null order by 1 limit 20""";

    /** The same of one flow's queue; the two tables' names are to be filled in, and the flow is an argument. */
    private static final String OF_QUEUE = """
            with wanted as (
              select t.run_id, t.step_slug, t.task_index, t.message_id
              from pgflow.step_tasks t
              join pgflow.step_states s on s.run_id = t.run_id and s.step_slug = t.step_slug
              join pgflow.runs r on r.run_id = t.run_id
              where t.flow_slug = ?
                and t.status in ('queued', 'started')
                and t.permanently_stalled_at is null
                and s.status = 'started'
                and r.status = 'started'
            ),
            there as (
              select q.msg_id, (q.message ->> 'run_id')::uuid as run_id, q.message ->> 'step_slug' as step_slug,
                (q.message ->> 'task_index')::int as task_index
              from pgmq.%1$I q
            )
            select concat_ws(' ', coalesce(w.run_id, h.run_id), coalesce(w.step_slug, h.step_slug), coalesce(w.task_index, h.task_index),
              case when h.msg_id is null then 'is open, but has no message' else format('has message %%s, but is not open', h.msg_id) end)
            from wanted w
            full join there h on h.msg_id = w.message_id and h.run_id = w.run_id and h.step_slug = w.step_slug and h.task_index = w.task_index
            where h.msg_id is null or w.message_id is null
            union all
            select format('message %%s is both in queue and archive', q.msg_id) from pgmq.%1$I q join pgmq.%2$I a on a.msg_id = q.msg_id
            limit 20""";

    /** Whatever is left to do. */
    private static final String LEFT = """
            select concat_ws(' ', r.run_id, 'of', r.flow_slug, 'has not ended') from pgflow.runs r where r.status = 'started'
            union all
            select concat_ws(' ', t.run_id, t.step_slug, t.task_index, 'is', t.status, 'in a run that completed')
            from pgflow.step_tasks t
            join pgflow.step_states s on s.run_id = t.run_id and s.step_slug = t.step_slug
            join pgflow.runs r on r.run_id = t.run_id
            where r.status = 'completed'
              and s.status = 'completed'
              and t.status <> 'completed'
            limit 20""";

    private Invariants() {}

    /**
     * Fails, with a line for each breach, if one of them does not hold.
     *
     * @throws AssertionError if so
     */
    public static void check(DataSource database) {
        check(database, false);
    }

    /**
     * Fails if one of them does not hold, or if anything is left to do: every run has ended, every task of a run that completed is completed or its
     * step was skipped, and with them no message is left.
     *
     * @throws AssertionError if so
     */
    public static void checkEnded(DataSource database) {
        check(database, true);
    }

    private static void check(DataSource database, boolean ended) {
        var breaches = new ArrayList<String>();
        try (var connection = database.getConnection()) {
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            breaches.addAll(lines(connection, OF_STATES));
            if (!lines(connection, "select 1 where to_regclass('endings.seen') is not null")
                    .isEmpty()) {
                breaches.addAll(lines(connection, Endings.BREACHES));
            }
            if (ended) {
                breaches.addAll(lines(connection, LEFT));
            }
            for (var flow : lines(connection, "select flow_slug from pgflow.flows order by 1")) {
                var query = lines(
                                connection,
                                "select format($format$" + OF_QUEUE
                                        + "$format$, pgmq.format_table_name(?, 'q'), pgmq.format_table_name(?, 'a'))",
                                flow,
                                flow)
                        .getFirst();
                breaches.addAll(lines(connection, query, flow));
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        if (!breaches.isEmpty()) {
            throw new AssertionError("The database contradicts itself:\n" + String.join("\n", breaches));
        }
    }

    private static List<String> lines(Connection connection, String sql, String... arguments) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) statement.setString(i + 1, arguments[i]);
            try (var result = statement.executeQuery()) {
                var lines = new ArrayList<String>();
                while (result.next()) lines.add(result.getString(1));
                return lines;
            }
        }
    }
}
