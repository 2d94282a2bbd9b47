-- Starts the tasks of messages of a flow's queue: those that are queued, in a started step of a started run, and not locked by anybody: each is
-- handed to one caller only. Returns what a worker needs to know of each task it got; timeout in seconds, as it is set now.
-- Waits for nobody: a claim may hold messages already, and who holds a task may want its message.
drop function if exists pgflow._start_tasks(bigint[], uuid[], text[], int[], uuid); -- as it was when messages named their tasks
create or replace function pgflow._start_tasks(p_flow_slug text, p_msg_ids bigint[], p_worker_id uuid)
returns table (
  flow_slug text, run_id uuid, step_slug text, task_index int, msg_id bigint,
  attempt int, claim_no int, timeout int, input jsonb, flow_input jsonb
)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  return query
  with free as materialized (
    select t.tid, d.step_type, d.deps_count, coalesce(d.opt_timeout, f.opt_timeout) as timeout
    from unnest(p_msg_ids) u (msg_id)
    cross join lateral (
      select x.ctid as tid, x.run_id, x.step_slug, x.status
      from pgflow.step_tasks x
      where x.message_id = u.msg_id
        and x.flow_slug = p_flow_slug -- ids are unique in their queue only
      for no key update skip locked
    ) t
    cross join lateral (select x.status from pgflow.runs x where x.run_id = t.run_id offset 0) r
    cross join lateral (
      select x.status from pgflow.step_states x where x.run_id = t.run_id and x.step_slug = t.step_slug offset 0
    ) s
    cross join lateral (
      select x.step_type, x.deps_count, x.opt_timeout
      from pgflow.steps x
      where x.flow_slug = p_flow_slug
        and x.step_slug = t.step_slug
      offset 0
    ) d
    cross join lateral (select x.opt_timeout from pgflow.flows x where x.flow_slug = p_flow_slug offset 0) f
    where t.status = 'queued'
      and r.status = 'started'
      and s.status = 'started'
  ),
  started as (
    update pgflow.step_tasks t
    set status = 'started',
        attempts_count = t.attempts_count + 1,
        claim_no = t.claim_no + 1,
        started_at = greatest(now(), t.queued_at), -- it may have been queued since this transaction began
        last_worker_id = p_worker_id
    from free c
    where t.ctid = c.tid
      and t.status = 'queued'
    returning
      t.flow_slug, t.run_id, t.step_slug, t.task_index, t.message_id, t.attempts_count, t.claim_no, t.input,
      c.step_type, c.deps_count, c.timeout
  )
  select
    s.flow_slug, s.run_id, s.step_slug, s.task_index, s.message_id, s.attempts_count, s.claim_no, s.timeout,
    case
      when s.step_type = 'map' then coalesce(s.input, pgflow._map_source(s.flow_slug, s.step_slug, s.run_id) -> s.task_index)
      when s.deps_count = 0 then '{}'
      else ( -- _dependency_outputs, without a call for each task
        select coalesce(jsonb_object_agg(d.dep_slug, o.output) filter (where o.status = 'completed'), '{}')
        from pgflow.deps d
        cross join lateral (
          select x.status, x.output from pgflow.step_states x where x.run_id = s.run_id and x.step_slug = d.dep_slug offset 0
        ) o
        where d.flow_slug = s.flow_slug
          and d.step_slug = s.step_slug
      )
    end,
    -- fetched here and not above: an update copies all that it is given, so that each task of a map would read the whole array
    case
      when s.step_type = 'single' and s.deps_count = 0
      then (select x.input from pgflow.runs x where x.run_id = s.run_id)
    end
  from started s;
end
$$;
