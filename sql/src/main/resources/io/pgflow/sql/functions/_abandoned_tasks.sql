-- The started tasks that were started longer ago than their own timeout + 30 s, and, with p_orphans, those of workers that have stopped or have
-- missed three of their own heartbeats; but not those that were given up. last says that a task was put back three times already. Nothing is locked.
-- Queues that the caller has no right to are passed over, and so are those that are deleted meanwhile.
create or replace function pgflow._abandoned_tasks(p_orphans boolean)
returns table (flow_slug text, run_id uuid, step_slug text, task_index int, claim_no int, last boolean)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_flow text;
begin
  for v_flow in
    select f.flow_slug
    from pgflow.flows f
    cross join lateral (select to_regclass(format('pgmq.%I', pgmq.format_table_name(f.flow_slug, 'q'))) as queue offset 0) q
    where has_table_privilege(q.queue, 'select')
      and has_table_privilege(q.queue, 'update')
      and has_table_privilege(q.queue, 'delete')
    order by f.flow_slug
  loop
    begin
      -- a queue holds open tasks only, and those that were ever started have been read; each is looked up by its message
      return query execute format(
        $q$
          select t.flow_slug, t.run_id, t.step_slug, t.task_index, t.claim_no, t.requeued_count >= 3
          from pgmq.%I q
          cross join lateral (
            select x.* from pgflow.step_tasks x where x.message_id = q.msg_id and x.flow_slug = $1 offset 0
          ) t
          cross join lateral pgflow._step_options(t.flow_slug, t.step_slug) o
          left join pgflow.workers w on w.worker_id = t.last_worker_id
          where q.read_ct > 0
            and t.status = 'started'
            and t.permanently_stalled_at is null
            and (
              t.started_at < now() - make_interval(secs => o.timeout + 30.0)
              or $2 and (
                w.stopped_at is not null
                or w.last_heartbeat_at < clock_timestamp() - 3 * w.heartbeat_interval
                  -- after an outage every heartbeat is old, and its worker may take a few seconds to connect again
                  and pg_postmaster_start_time() < clock_timestamp() - 3 * w.heartbeat_interval - interval '10 seconds'
              )
            )
        $q$, pgmq.format_table_name(v_flow, 'q'))
      using v_flow, p_orphans;
    exception when undefined_table then
      null; -- of delete_flow_and_data
    end;
  end loop;
end
$$;
