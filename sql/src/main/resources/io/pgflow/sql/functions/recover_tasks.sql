-- Puts tasks back into their queues that nobody is working on any more: started longer ago than their own timeout + 30 s, or held by a worker
-- that has stopped or has missed three of its own heartbeats. The fourth time, a task fails for good and its step's when_exhausted
-- decides. A row per task: requeued or failed. One caller at a time; the others get no rows.
create or replace function pgflow.recover_tasks()
returns table (flow_slug text, run_id uuid, step_slug text, task_index int, worker_id uuid, outcome text)
language plpgsql
set search_path to ''
set enable_seqscan to off
set jit to off
as $$
declare
  v_flow text;
  v_runs uuid[];
  v_steps text[];
  v_indexes int[];
  v_claims int[];
  v_flows text[];
  v_messages bigint[];
begin
  if not pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtext('pgflow.recover_tasks')) then
    return;
  end if;
  for v_flow in
    select f.flow_slug from pgflow.flows f order by f.flow_slug
  loop
    -- a queue holds open tasks only, and those that were ever started have been read; each is looked up by its key
    execute format(
      $q$
        select array_agg(t.run_id), array_agg(t.step_slug), array_agg(t.task_index), array_agg(t.claim_no)
        from pgmq.%I q
        cross join lateral (
          select x.* from pgflow.step_tasks x where x.message_id = q.msg_id and x.flow_slug = $1 offset 0
        ) t
        cross join lateral (
          select coalesce(s.opt_timeout, f.opt_timeout) as timeout
          from pgflow.steps s
          join pgflow.flows f on f.flow_slug = s.flow_slug
          where s.flow_slug = $1 and s.step_slug = t.step_slug
        ) o
        left join pgflow.workers w on w.worker_id = t.last_worker_id
        where q.read_ct > 0
          and t.status = 'started'
          and t.permanently_stalled_at is null
          and (
            t.started_at < now() - make_interval(secs => o.timeout + 30)
            or w.stopped_at is not null
            or w.last_heartbeat_at < clock_timestamp() - 3 * w.heartbeat_interval
              -- after an outage every heartbeat is old
              and pg_postmaster_start_time() < clock_timestamp() - 3 * w.heartbeat_interval
          )
      $q$, pgmq.format_table_name(v_flow, 'q'))
    into v_runs, v_steps, v_indexes, v_claims
    using v_flow;
    continue when v_runs is null;

    perform pgflow._lock_runs(v_runs);
    -- past the lock, only claims that are still the same
    return query
    with stalled as (
      select u.*, k.tid, k.last_worker_id
      from unnest(v_runs, v_steps, v_indexes, v_claims) u (run_id, step_slug, task_index, claim_no)
      cross join lateral (
        select x.ctid as tid, x.status, x.claim_no, x.requeued_count, x.last_worker_id
        from pgflow.step_tasks x
        where x.run_id = u.run_id
          and x.step_slug = u.step_slug
          and x.task_index = u.task_index
        offset 0
      ) k
      where k.status = 'started'
        and k.claim_no = u.claim_no
        and k.requeued_count < 3
    )
    update pgflow.step_tasks t
    set status = 'queued',
        started_at = null,
        last_worker_id = null,
        requeued_count = t.requeued_count + 1,
        last_requeued_at = now()
    from stalled s
    where t.ctid = s.tid
      and t.status = 'started'
    returning t.flow_slug, t.run_id, t.step_slug, t.task_index, s.last_worker_id, 'requeued';

    select array_agg(t.flow_slug), array_agg(t.message_id) into v_flows, v_messages
    from unnest(v_runs, v_steps, v_indexes) u (run_id, step_slug, task_index)
    cross join lateral (
      select x.flow_slug, x.message_id, x.status
      from pgflow.step_tasks x
      where x.run_id = u.run_id
        and x.step_slug = u.step_slug
        and x.task_index = u.task_index
      offset 0
    ) t
    where t.status = 'queued';
    perform pgflow._show_messages(v_flows, v_messages);

    return query
    select v_flow, f.run_id, v_steps[f.report], v_indexes[f.report], null::uuid, f.outcome
    from pgflow.fail_tasks(
      v_runs, v_steps, v_indexes, v_claims,
      array_fill('Task was given up: it was started four times and no worker reported its end'::text, array[cardinality(v_runs)]),
      array_fill(true, array[cardinality(v_runs)])
    ) f
    where f.outcome = 'failed';
  end loop;
end
$$;
