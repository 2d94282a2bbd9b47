-- Puts started tasks back into their queues, visible at once, and notifies those who listen. The arrays go together; a
-- task that another claim took meanwhile, or that somebody else has locked, is left alone. Returns those put back, with whose they were and since when.
drop function if exists pgflow._requeue_tasks(uuid[], text[], int[], int[]); -- as it was before since
create or replace function pgflow._requeue_tasks(p_run_ids uuid[], p_step_slugs text[], p_task_indexes int[], p_claim_nos int[])
returns table (flow_slug text, run_id uuid, step_slug text, task_index int, worker_id uuid, since timestamptz)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  return query
  with abandoned as materialized (
    select k.tid, k.last_worker_id, k.started_at
    from unnest(p_run_ids, p_step_slugs, p_task_indexes, p_claim_nos) u (run_id, step_slug, task_index, claim_no)
    cross join lateral (
      select x.ctid as tid, x.status, x.claim_no, x.last_worker_id, x.started_at
      from pgflow.step_tasks x
      where x.run_id = u.run_id
        and x.step_slug = u.step_slug
        and x.task_index = u.task_index
      for no key update skip locked
    ) k
    where k.status = 'started'
      and k.claim_no = u.claim_no
  ),
  requeued as (
    update pgflow.step_tasks t
    set status = 'queued',
        started_at = null,
        last_worker_id = null,
        requeued_count = t.requeued_count + 1,
        last_requeued_at = now()
    from abandoned a
    where t.ctid = a.tid
      and t.status = 'started'
    returning t.flow_slug, t.run_id, t.step_slug, t.task_index, t.message_id, a.last_worker_id, a.started_at
  ),
  shown as materialized (
    select pgflow._show_messages(array_agg(r.flow_slug), array_agg(r.message_id)) from requeued r
  )
  select r.flow_slug, r.run_id, r.step_slug, r.task_index, r.last_worker_id, r.started_at
  from requeued r
  cross join shown;
end
$$;
