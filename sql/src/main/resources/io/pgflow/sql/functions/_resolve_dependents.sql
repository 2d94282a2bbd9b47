-- Tells the dependents of steps that were completed or skipped: one dependency less, and for a map the size of its array. The first four arrays
-- go together; sizes are what a map over the step would have to do (NULL: it is not known, as the output is no array).
--
-- With p_start, dependents that became ready are started in the same update, unless a dependent in their run has a condition or no task:
-- such runs come back in `unsettled`, for _settle_runs. What follows from the start is the caller's: the other five go together, a step of a run each,
-- how many tasks it has, and of what p_reports has beside its dependencies the greatest. The caller holds the runs' locks.
drop function if exists pgflow._resolve_dependents(text[], uuid[], text[], int[], boolean); -- as it was when it enqueued what it started
create or replace function pgflow._resolve_dependents(
  p_flow_slugs text[], p_run_ids uuid[], p_step_slugs text[], p_sizes int[], p_reports int[], p_start boolean,
  out flow_slugs text[], out run_ids uuid[], out step_slugs text[], out sizes int[], out reports int[], out unsettled uuid[]
)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  with child as materialized (
    select
      g.run_id,
      d.step_slug,
      count(*)::int as deps,
      max(g.report) as report,
      max(g.size) filter (where s.step_type = 'map') as size,
      bool_or(
        num_nonnulls(s.required_input_pattern, s.forbidden_input_pattern) > 0 or (s.step_type = 'map' and g.size = 0)
      ) as special
    from unnest(p_flow_slugs, p_run_ids, p_step_slugs, p_sizes, p_reports) g (flow_slug, run_id, step_slug, size, report)
    join pgflow.deps d on d.flow_slug = g.flow_slug and d.dep_slug = g.step_slug
    join pgflow.steps s on s.flow_slug = d.flow_slug and s.step_slug = d.step_slug
    group by g.run_id, d.step_slug
  ),
  moved as (
    update pgflow.step_states s
    set remaining_deps = s.remaining_deps - c.deps,
        initial_tasks = coalesce(s.initial_tasks, c.size),
        status = case when c.starts and s.remaining_deps = c.deps then 'started' else s.status end,
        started_at = case when c.starts and s.remaining_deps = c.deps then greatest(now(), s.created_at) else s.started_at end,
        remaining_tasks = case
          when c.starts and s.remaining_deps = c.deps then coalesce(s.initial_tasks, c.size)
          else s.remaining_tasks
        end
    from (
      select g.deps, g.size, g.report, k.tid, p_start and not g.run_special and k.status = 'created' as starts
      from (
        select c.*, bool_or(c.special) over (partition by c.run_id) as run_special
        from child c
        order by c.run_id, c.step_slug
      ) g
      cross join lateral (
        select x.ctid as tid, x.status
        from pgflow.step_states x
        where x.run_id = g.run_id
          and x.step_slug = g.step_slug
        offset 0
      ) k
    ) c
    where s.ctid = c.tid
    returning s.flow_slug, s.run_id, s.step_slug, s.initial_tasks, c.report, c.starts and s.remaining_deps = 0 as starts
  )
  select
    array_agg(m.flow_slug) filter (where m.starts),
    array_agg(m.run_id) filter (where m.starts),
    array_agg(m.step_slug) filter (where m.starts),
    array_agg(m.initial_tasks) filter (where m.starts),
    array_agg(m.report) filter (where m.starts),
    (select array_agg(distinct c.run_id) from child c where c.special)
  into flow_slugs, run_ids, step_slugs, sizes, reports, unsettled
  from moved m;
end
$$;
