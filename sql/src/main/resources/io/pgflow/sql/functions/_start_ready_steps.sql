-- Starts the steps of the runs that wait for nothing any more and have tasks. The caller holds the runs' locks. Returns the runs in
-- which a step started.
create or replace function pgflow._start_ready_steps(p_run_ids uuid[])
returns uuid[]
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_flows text[];
  v_runs uuid[];
  v_steps text[];
  v_sizes int[];
begin
  with started as (
    update pgflow.step_states s
    set status = 'started',
        started_at = greatest(now(), s.created_at),
        remaining_tasks = s.initial_tasks
    from (
      select x.tid
      from (select distinct u.run_id from unnest(p_run_ids) u (run_id)) g
      cross join lateral (select y.status from pgflow.runs y where y.run_id = g.run_id offset 0) r
      cross join lateral (
        select y.ctid as tid, y.status, y.remaining_deps, y.initial_tasks
        from pgflow.step_states y
        where y.run_id = g.run_id
        offset 0
      ) x
      where r.status = 'started'
        and x.status = 'created'
        and x.remaining_deps = 0
        and x.initial_tasks > 0
    ) k
    where s.ctid = k.tid
    returning s.flow_slug, s.run_id, s.step_slug, s.initial_tasks
  )
  select array_agg(s.flow_slug), array_agg(s.run_id), array_agg(s.step_slug), array_agg(s.initial_tasks)
  into v_flows, v_runs, v_steps, v_sizes
  from started s;

  if v_runs is not null then
    perform pgflow._enqueue_tasks(v_flows, v_runs, v_steps, v_sizes);
  end if;
  return v_runs;
end
$$;
