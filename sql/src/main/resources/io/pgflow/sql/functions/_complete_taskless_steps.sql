-- Completes the steps of the runs that are ready and have no task: maps over empty arrays. One wave: their dependents are not looked at again.
-- The caller holds the runs' locks and has resolved conditions. Returns the number of steps completed.
create or replace function pgflow._complete_taskless_steps(p_run_ids uuid[])
returns int
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
begin
  with completed as (
    update pgflow.step_states s
    set status = 'completed',
        started_at = greatest(now(), s.created_at),
        completed_at = greatest(now(), s.created_at),
        remaining_tasks = 0,
        output = k.output
    from (
      select x.tid, case when d.step_type = 'map' then '[]'::jsonb end as output
      from (select distinct u.run_id from unnest(p_run_ids) u (run_id)) g
      cross join lateral (select y.flow_slug, y.status from pgflow.runs y where y.run_id = g.run_id offset 0) r
      cross join lateral (
        select y.ctid as tid, y.step_slug, y.status, y.remaining_deps, y.initial_tasks
        from pgflow.step_states y
        where y.run_id = g.run_id
        offset 0
      ) x
      join pgflow.steps d on d.flow_slug = r.flow_slug and d.step_slug = x.step_slug
      where r.status = 'started'
        and x.status = 'created'
        and x.remaining_deps = 0
        and x.initial_tasks = 0
    ) k
    where s.ctid = k.tid
    returning s.flow_slug, s.run_id, s.step_slug
  )
  select array_agg(c.flow_slug), array_agg(c.run_id), array_agg(c.step_slug) into v_flows, v_runs, v_steps
  from completed c;

  if v_runs is null then
    return 0;
  end if;
  if pgflow._emits() then
    perform pgflow._send_events(v_runs, v_steps, null);
  end if;
  perform pgflow._resolve_dependents(v_flows, v_runs, v_steps, array_fill(0, array[cardinality(v_runs)]), null, false);
  perform pgflow._count_ended_steps(pgflow._run_rows(v_runs), null, true);
  return cardinality(v_runs);
end
$$;
