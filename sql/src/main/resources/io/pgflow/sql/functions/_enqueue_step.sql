-- What follows from the start of a step in some runs: the events, a message for each task, and the tasks themselves. Sizes go with the runs and
-- are read for maps only: how many tasks each has. Messages are in the order runs as given, tasks by index.
create or replace function pgflow._enqueue_step(
  p_flow_slug text, p_step_slug text, p_step_type text, p_delay int, p_run_ids uuid[], p_sizes int[]
)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_ids bigint[];
begin
  if pgflow._emits() then
    perform pgflow._send_events(p_run_ids, array_fill(p_step_slug, array[cardinality(p_run_ids)]), null);
  end if;
  if p_step_type = 'single' then
    -- an id for each message, in their order
    insert into pgflow.step_tasks (flow_slug, run_id, step_slug, message_id)
    select p_flow_slug, t.run_id, p_step_slug, t.msg_id
    from rows from (
      unnest(p_run_ids),
      pgmq.send_batch(
        p_flow_slug,
        array(
          select jsonb_build_object(
            'flow_slug', p_flow_slug, 'run_id', g.run_id, 'step_slug', p_step_slug, 'task_index', 0)
          from unnest(p_run_ids) g (run_id)
        ),
        p_delay)
    ) t (run_id, msg_id);
    return;
  end if;

  v_ids := array(
    select pgmq.send_batch(
      p_flow_slug,
      array(
        select jsonb_build_object(
          'flow_slug', p_flow_slug, 'run_id', g.run_id, 'step_slug', p_step_slug, 'task_index', i)
        from unnest(p_run_ids, p_sizes) with ordinality g (run_id, size, n)
        cross join lateral generate_series(0, g.size - 1) i
        order by g.n, i
      ),
      p_delay)
  );
  -- ids and elements are taken by position: each is read once, however long the array; #> '{}' fetches a long one as a whole, once
  insert into pgflow.step_tasks (flow_slug, run_id, step_slug, task_index, message_id, input)
  select p_flow_slug, g.run_id, p_step_slug, i, v_ids[g.before + i + 1], g.source -> i
  from (
    select
      u.run_id, u.size, sum(u.size) over (order by u.n) - u.size as before,
      pgflow._map_source(p_flow_slug, p_step_slug, u.run_id) #> '{}' as source
    from unnest(p_run_ids, p_sizes) with ordinality u (run_id, size, n)
  ) g
  cross join lateral generate_series(0, g.size - 1) i;
end
$$;
