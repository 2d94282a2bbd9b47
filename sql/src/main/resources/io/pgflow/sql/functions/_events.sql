-- What there is to tell about steps that have just changed, or, where p_step_slugs is NULL, about runs: how they are now. Steps come in
-- the order of their definition, those that started in the order of their messages. p_errors: for runs, beside them; for steps,
-- not NULL where they were skipped as their handler failed, which is told in other words than the skips that follow from it.
create or replace function pgflow._events(p_run_ids uuid[], p_step_slugs text[], p_errors text[])
returns table (payload jsonb, event text, topic text)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  if p_step_slugs is null then
    return query
    select
      jsonb_build_object(
        'event_type', 'run:' || r.status, 'run_id', r.run_id, 'flow_slug', r.flow_slug, 'status', r.status)
      || case r.status
        when 'started' then jsonb_build_object(
          'input', r.input, 'remaining_steps', r.remaining_steps, 'started_at', r.started_at)
        when 'completed' then jsonb_build_object('output', r.output, 'completed_at', r.completed_at)
        when 'failed' then jsonb_build_object('error_message', g.error, 'failed_at', r.failed_at)
      end,
      'run:' || r.status,
      'pgflow:run:' || r.run_id
    from unnest(p_run_ids, p_errors) with ordinality g (run_id, error, n)
    cross join lateral (select x.* from pgflow.runs x where x.run_id = g.run_id offset 0) r
    order by g.n;
  else
    return query
    select
      jsonb_build_object(
        'event_type', 'step:' || s.status, 'run_id', s.run_id, 'step_slug', s.step_slug, 'status', s.status)
      || case
        when s.status = 'started' then jsonb_build_object(
          'started_at', s.started_at, 'remaining_tasks', s.remaining_tasks, 'remaining_deps', s.remaining_deps)
        when s.status = 'completed' and s.initial_tasks > 0 then jsonb_build_object(
          'output', s.output, 'completed_at', s.completed_at)
        when s.status = 'completed' then jsonb_build_object(
          'output', s.output, 'started_at', s.started_at, 'completed_at', s.completed_at,
          'remaining_tasks', s.remaining_tasks, 'remaining_deps', s.remaining_deps)
        when s.status = 'failed' then jsonb_build_object('error_message', s.error_message, 'failed_at', s.failed_at)
        when s.skip_reason = 'handler_failed' and p_errors is not null then jsonb_build_object(
          'skip_reason', s.skip_reason, 'error_message', s.error_message, 'skipped_at', s.skipped_at)
        when s.status = 'skipped' then jsonb_build_object(
          'flow_slug', s.flow_slug, 'skip_reason', s.skip_reason, 'skipped_at', s.skipped_at)
      end,
      format('step:%s:%s', s.step_slug, s.status),
      'pgflow:run:' || s.run_id
    from unnest(p_run_ids, p_step_slugs) g (run_id, step_slug)
    cross join lateral (
      select x.* from pgflow.step_states x where x.run_id = g.run_id and x.step_slug = g.step_slug offset 0
    ) s
    join pgflow.steps d on d.flow_slug = s.flow_slug and d.step_slug = s.step_slug
    order by s.run_id, case when s.status = 'started' then s.step_slug end collate "C", d.step_index;
  end if;
end
$$;
