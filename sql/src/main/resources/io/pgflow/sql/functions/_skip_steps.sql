-- Skips steps of runs, for the given reason; p_errors (may be NULL) goes beside them. With p_cascade everything downstream is skipped too, as
-- dependency_skipped; without, dependents go on without the skipped ones, and a map over one gets an empty array. Steps that ended
-- stay as they are. With p_complete, runs that have no step left are completed. The caller holds the runs' locks. Returns the number of steps
-- skipped.
create or replace function pgflow._skip_steps(
  p_run_ids uuid[], p_step_slugs text[], p_reason text, p_errors text[], p_cascade boolean, p_complete boolean default true
)
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
  with recursive chosen (flow_slug, run_id, step_slug, error, first) as (
    select r.flow_slug, g.run_id, g.step_slug, g.error, true
    from unnest(p_run_ids, p_step_slugs, p_errors) g (run_id, step_slug, error)
    cross join lateral (select x.flow_slug from pgflow.runs x where x.run_id = g.run_id offset 0) r
    union -- each step once, however many paths lead to it
    select c.flow_slug, c.run_id, d.step_slug, null, false
    from chosen c
    join pgflow.deps d on d.flow_slug = c.flow_slug and d.dep_slug = c.step_slug
    where p_cascade
  ),
  skipped as (
    update pgflow.step_states s
    set status = 'skipped',
        skip_reason = case when c.first then p_reason else 'dependency_skipped' end,
        error_message = coalesce(c.error, s.error_message),
        skipped_at = greatest(now(), s.created_at),
        remaining_tasks = null
    from (
      select g.*, k.tid
      from (
        select c.run_id, c.step_slug, bool_or(c.first) as first, max(c.error) as error
        from chosen c
        group by c.run_id, c.step_slug
        order by c.run_id, c.step_slug
      ) g
      cross join lateral (
        select x.ctid as tid from pgflow.step_states x where x.run_id = g.run_id and x.step_slug = g.step_slug offset 0
      ) k
    ) c
    where s.ctid = c.tid
      and s.status in ('created', 'started')
    returning s.flow_slug, s.run_id, s.step_slug
  )
  select array_agg(s.flow_slug), array_agg(s.run_id), array_agg(s.step_slug) into v_flows, v_runs, v_steps
  from skipped s;

  if v_runs is null then
    return 0;
  end if;
  if pgflow._emits() then
    perform pgflow._send_events(v_runs, v_steps, p_errors);
  end if;
  perform pgflow._archive_open_messages(v_runs, v_steps);
  if not p_cascade then
    perform pgflow._resolve_dependents(v_flows, v_runs, v_steps, array_fill(0, array[cardinality(v_runs)]), null, false);
  end if;
  perform pgflow._count_ended_steps(pgflow._run_rows(v_runs), null, p_complete);
  return cardinality(v_runs);
end
$$;
