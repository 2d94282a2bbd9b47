-- What follows from the start of steps: the events, a message for each task, and the tasks themselves. The four arrays go together: a step
-- of a run each, and how many tasks it has. Messages are in the order steps by slug, runs as given, tasks by index.
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
  v_ids bigint[];
begin
  if pgflow._emits() then
    perform pgflow._send_events(p_run_ids, p_step_slugs, null);
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
    if v_step.step_type = 'single' then
      -- an id for each message, in their order
      insert into pgflow.step_tasks (flow_slug, run_id, step_slug, message_id)
      select v_step.flow_slug, t.run_id, v_step.step_slug, t.msg_id
      from rows from (
        unnest(v_step.run_ids),
        pgmq.send_batch(
          v_step.flow_slug,
          array(
            select jsonb_build_object(
              'flow_slug', v_step.flow_slug, 'run_id', g.run_id, 'step_slug', v_step.step_slug, 'task_index', 0)
            from unnest(v_step.run_ids) g (run_id)
          ),
          v_step.delay)
      ) t (run_id, msg_id);
    else
      v_ids := array(
        select pgmq.send_batch(
          v_step.flow_slug,
          array(
            select jsonb_build_object(
              'flow_slug', v_step.flow_slug, 'run_id', g.run_id, 'step_slug', v_step.step_slug, 'task_index', i)
            from unnest(v_step.run_ids, v_step.sizes) with ordinality g (run_id, size, n)
            cross join lateral generate_series(0, g.size - 1) i
            order by g.n, i
          ),
          v_step.delay)
      );
      -- ids and elements are taken by position: each is read once, however long the array
      insert into pgflow.step_tasks (flow_slug, run_id, step_slug, task_index, message_id, input)
      select v_step.flow_slug, g.run_id, v_step.step_slug, t.task_index, v_ids[g.before + t.task_index + 1], t.input
      from (
        select u.run_id, u.size, sum(u.size) over (order by u.n) - u.size as before
        from unnest(v_step.run_ids, v_step.sizes) with ordinality u (run_id, size, n)
      ) g
      cross join lateral rows from (
        generate_series(0, g.size - 1),
        jsonb_array_elements(pgflow._map_source(v_step.flow_slug, v_step.step_slug, g.run_id))
      ) t (task_index, input)
      where t.task_index is not null;
    end if;
  end loop;
end
$$;
