-- Fails the task, the step and the run of each report whose output is no array although a map fans out over it: no retry, whatever the
-- step's options say. Arguments as of complete_tasks, and the single steps that maps fan out over. Returns the numbers of these reports, one a
-- run at most.
-- The caller holds the runs' locks.
drop function if exists pgflow._fail_type_violations(text[], uuid[], text[], int[], int[], jsonb[]); -- as it was with p_flow_slugs
create or replace function pgflow._fail_type_violations(
  p_sources text[], p_run_ids uuid[], p_step_slugs text[], p_task_indexes int[], p_claim_nos int[], p_outputs jsonb[]
)
returns int[]
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_reports int[];
  v_runs uuid[];
  v_steps text[];
  v_maps text[];
  v_kinds text[];
begin
  if not exists (
    select
    from unnest(p_step_slugs, p_outputs) u (step_slug, output)
    where u.step_slug = any (p_sources)
      and jsonb_typeof(u.output) is distinct from 'array'
  ) then
    return null;
  end if;
  -- a statement of its own: else a task that is claimed meanwhile would not be current here, and would be where the caller completes it. All tasks,
  -- as failing the runs takes messages, and tasks come before messages
  perform
  from unnest(p_run_ids, p_step_slugs, p_task_indexes) u (run_id, step_slug, task_index)
  cross join lateral (
    select
    from pgflow.step_tasks x
    where x.run_id = u.run_id
      and x.step_slug = u.step_slug
      and x.task_index = u.task_index
    for no key update
  ) t;

  select array_agg(v.n), array_agg(v.run_id), array_agg(v.step_slug), array_agg(v.map_slug), array_agg(v.kind)
  into v_reports, v_runs, v_steps, v_maps, v_kinds
  from (
    select distinct on (u.run_id) u.n, u.run_id, u.step_slug, c.map_slug, coalesce(jsonb_typeof(u.output), 'null') as kind
    from unnest(p_run_ids, p_step_slugs, p_task_indexes, p_claim_nos, p_outputs)
      with ordinality u (run_id, step_slug, task_index, claim_no, output, n)
    cross join lateral (select x.flow_slug, x.status from pgflow.runs x where x.run_id = u.run_id offset 0) r
    cross join lateral (
      select x.status from pgflow.step_states x where x.run_id = u.run_id and x.step_slug = u.step_slug offset 0
    ) s
    cross join lateral (
      select x.status, x.claim_no
      from pgflow.step_tasks x
      where x.run_id = u.run_id
        and x.step_slug = u.step_slug
        and x.task_index = u.task_index
      offset 0
    ) t
    cross join lateral (
      select m.step_slug as map_slug, m.step_index
      from pgflow.deps d
      join pgflow.steps m on m.flow_slug = d.flow_slug and m.step_slug = d.step_slug
      join pgflow.steps p on p.flow_slug = d.flow_slug and p.step_slug = d.dep_slug
      where d.flow_slug = r.flow_slug
        and d.dep_slug = u.step_slug
        and m.step_type = 'map'
        and p.step_type = 'single'
    ) c
    cross join lateral (
      select x.initial_tasks from pgflow.step_states x where x.run_id = u.run_id and x.step_slug = c.map_slug offset 0
    ) w
    where u.step_slug = any (p_sources)
      and jsonb_typeof(u.output) is distinct from 'array'
      and r.status = 'started'
      and s.status = 'started'
      and t.status = 'started'
      and t.claim_no = coalesce(u.claim_no, t.claim_no)
      and w.initial_tasks is null
    order by u.run_id, u.n, c.step_index
  ) v;
  if v_reports is null then
    return null;
  end if;

  perform pgflow._fail_steps(v_runs, v_steps, array(
    select format('[TYPE_VIOLATION] Map step %s expects array input but dependency %s produced %s', g.map_slug, g.step_slug, g.kind)
    from unnest(v_maps, v_steps, v_kinds) with ordinality g (map_slug, step_slug, kind, n)
    order by g.n));

  update pgflow.step_tasks t
  set status = 'failed',
      failed_at = greatest(now(), t.started_at),
      output = p_outputs[g.n],
      error_message = format('[TYPE_VIOLATION] Produced %s instead of array', g.kind)
  from unnest(v_reports, v_kinds) g (n, kind)
  cross join lateral (
    select x.ctid as tid
    from pgflow.step_tasks x
    where x.run_id = p_run_ids[g.n]
      and x.step_slug = p_step_slugs[g.n]
      and x.task_index = p_task_indexes[g.n]
    offset 0
  ) k
  where t.ctid = k.tid;
  return v_reports;
end
$$;
