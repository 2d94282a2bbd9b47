-- What follows from the start of steps that reports made ready, where a worker waits to go on. The first five arrays go together, a step of a run
-- each, with how many tasks it has and the report that it follows; p_worker_ids has for each report the worker that takes a task of it, or
-- NULL. A step with one task and no delay is started for that worker at once, as a claim of its message would, one for each report; everything else is
-- enqueued. Returns the runs of what is in the queue, and of what was handed over the report, flow, step and timeout in seconds.
create or replace function pgflow._hand_over(
  p_flow_slugs text[], p_run_ids uuid[], p_step_slugs text[], p_sizes int[], p_reports int[], p_worker_ids uuid[],
  out queued uuid[], out next_reports int[], out next_flows text[], out next_steps text[], out next_timeouts int[]
)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_part record;
  v_messages bigint[];
begin
  for v_part in
    select
      c.flow_slug, c.handed,
      array_agg(c.run_id) as run_ids,
      array_agg(c.step_slug) as step_slugs,
      array_agg(c.size) as sizes,
      array_agg(c.report) as reports,
      array_agg(c.timeout) as timeouts,
      array_agg(p_worker_ids[c.report]) as worker_ids
    from (
      select
        e.flow_slug, e.run_id, e.step_slug, e.size, e.report, e.timeout,
        e.able and row_number() over (partition by e.report, e.able order by e.step_slug collate "C") = 1 as handed
      from (
        select
          u.flow_slug, u.run_id, u.step_slug, u.size, u.report, coalesce(s.opt_timeout, f.opt_timeout) as timeout,
          p_worker_ids[u.report] is not null and s.step_type = 'single' and coalesce(s.opt_start_delay, 0) = 0 as able
        from unnest(p_flow_slugs, p_run_ids, p_step_slugs, p_sizes, p_reports) u (flow_slug, run_id, step_slug, size, report)
        join pgflow.steps s on s.flow_slug = u.flow_slug and s.step_slug = u.step_slug
        join pgflow.flows f on f.flow_slug = u.flow_slug
      ) e
    ) c
    group by c.flow_slug, c.handed
    order by c.flow_slug, c.handed
  loop
    if not v_part.handed then
      perform pgflow._enqueue_tasks(
        array_fill(v_part.flow_slug, array[cardinality(v_part.run_ids)]), v_part.run_ids, v_part.step_slugs, v_part.sizes);
      queued := queued || v_part.run_ids;
      continue;
    end if;

    if pgflow._emits() then
      perform pgflow._send_events(v_part.run_ids, v_part.step_slugs, null);
    end if;
    -- an id for each message, in their order
    execute format(
      $q$
        with sent as (
          insert into pgmq.%I (vt, read_ct, message)
          select
            clock_timestamp() + make_interval(secs => u.timeout + 2.0), 1,
            jsonb_build_object('flow_slug', $1, 'run_id', u.run_id, 'step_slug', u.step_slug, 'task_index', 0)
          from unnest($2, $3, $4) with ordinality u (run_id, step_slug, timeout, n)
          order by u.n
          returning msg_id
        )
        select array_agg(s.msg_id order by s.msg_id) from sent s
      $q$, pgmq.format_table_name(v_part.flow_slug, 'q'))
    into v_messages
    using v_part.flow_slug, v_part.run_ids, v_part.step_slugs, v_part.timeouts;

    insert into pgflow.step_tasks (
      flow_slug, run_id, step_slug, message_id, status, attempts_count, claim_no, started_at, last_worker_id
    )
    select v_part.flow_slug, u.run_id, u.step_slug, u.message_id, 'started', 1, 1, now(), u.worker_id
    from unnest(v_part.run_ids, v_part.step_slugs, v_messages, v_part.worker_ids) u (run_id, step_slug, message_id, worker_id);

    next_reports := next_reports || v_part.reports;
    next_flows := next_flows || array_fill(v_part.flow_slug, array[cardinality(v_part.reports)]);
    next_steps := next_steps || v_part.step_slugs;
    next_timeouts := next_timeouts || v_part.timeouts;
  end loop;
end
$$;
