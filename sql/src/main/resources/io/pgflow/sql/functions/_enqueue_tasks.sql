-- What follows from the start of steps. The four arrays go together: a step of a run each, and how many tasks it has. Messages are in the order
-- steps by slug, runs as given.
create or replace function pgflow._enqueue_tasks(p_flow_slugs text[], p_run_ids uuid[], p_step_slugs text[], p_sizes int[])
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_step record;
begin
  if p_flow_slugs[1] = all (p_flow_slugs) and p_step_slugs[1] = all (p_step_slugs) then -- as mostly, and then nothing is to be sorted
    perform pgflow._enqueue_step(s.flow_slug, s.step_slug, s.step_type, coalesce(s.opt_start_delay, 0), p_run_ids, p_sizes)
    from pgflow.steps s
    where s.flow_slug = p_flow_slugs[1]
      and s.step_slug = p_step_slugs[1];
    return;
  end if;
  -- once for each step of a flow's definition, whatever the number of runs
  for v_step in
    select
      g.flow_slug, g.step_slug, s.step_type, coalesce(s.opt_start_delay, 0) as delay,
      array_agg(g.run_id order by g.n) as run_ids,
      array_agg(g.size order by g.n) as sizes
    from unnest(p_flow_slugs, p_run_ids, p_step_slugs, p_sizes) with ordinality g (flow_slug, run_id, step_slug, size, n)
    join pgflow.steps s on s.flow_slug = g.flow_slug and s.step_slug = g.step_slug
    group by g.flow_slug, g.step_slug, s.step_type, s.opt_start_delay
    order by g.flow_slug, g.step_slug collate "C"
  loop
    perform pgflow._enqueue_step(
      v_step.flow_slug, v_step.step_slug, v_step.step_type, v_step.delay, v_step.run_ids, v_step.sizes);
  end loop;
end
$$;
