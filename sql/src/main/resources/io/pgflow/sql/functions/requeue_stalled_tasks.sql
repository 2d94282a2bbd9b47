-- Puts tasks back into their queues that were started longer ago than their own timeout + 30 s, up to three times each; after that a task is marked
-- as permanently stalled, its message archived, and it is left started. Returns the number put back. recover_tasks also ends such tasks and
-- their runs.
create or replace function pgflow.requeue_stalled_tasks()
returns int
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_runs uuid[];
  v_requeued int;
  v_flows text[];
  v_messages bigint[];
begin
  -- as it is called by a clock, it waits for nobody: runs that somebody reports on at this moment are the next call's. In a statement of its own: the
  -- next one then sees what they have made of their tasks
  select array_agg(l.run_id)
  into v_runs
  from (select distinct a.run_id from pgflow._abandoned_tasks(false) a order by a.run_id) d
  cross join lateral (select r.run_id from pgflow.runs r where r.run_id = d.run_id for no key update skip locked) l;

  with abandoned as materialized (
    select a.*
    from unnest(v_runs) l (run_id)
    join pgflow._abandoned_tasks(false) a on a.run_id = l.run_id
  ),
  requeued as materialized (
    select count(r.*)::int as tasks
    from (
      select
        array_agg(a.run_id) as runs,
        array_agg(a.step_slug) as steps,
        array_agg(a.task_index) as indexes,
        array_agg(a.claim_no) as claims
      from abandoned a
      where not a.last
    ) g
    cross join lateral pgflow._requeue_tasks(g.runs, g.steps, g.indexes, g.claims) r
  ),
  stalled as materialized (
    select k.tid
    from abandoned a
    cross join lateral (
      select x.ctid as tid, x.status, x.claim_no
      from pgflow.step_tasks x
      where x.run_id = a.run_id
        and x.step_slug = a.step_slug
        and x.task_index = a.task_index
      for no key update skip locked
    ) k
    where a.last
      and k.status = 'started'
      and k.claim_no = a.claim_no
  ),
  given_up as (
    update pgflow.step_tasks t
    set permanently_stalled_at = now()
    from stalled s
    where t.ctid = s.tid
    returning t.flow_slug, t.message_id
  )
  select (select r.tasks from requeued r), array_agg(g.flow_slug), array_agg(g.message_id)
  into v_requeued, v_flows, v_messages
  from given_up g;

  perform pgflow._archive_messages(v_flows, v_messages);
  return v_requeued;
end
$$;
