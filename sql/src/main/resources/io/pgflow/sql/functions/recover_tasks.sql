-- Puts tasks back into their queues that nobody is working on any more: started longer ago than their own timeout + 30 s, or held by a worker
-- that has stopped or has missed three of its own heartbeats. The fourth time, a task fails for good and its step's when_exhausted
-- decides. One caller at a time; the others get no rows. A row per task:
--   worker_id, since  whose it was, and when it was started
--   outcome           requeued or failed
--   run_ended         completed or failed, on one task of a run that this call ended
--   run_error         beside failed, what the step that failed the run has for an error
drop function if exists pgflow.recover_tasks(); -- as it was before since
create or replace function pgflow.recover_tasks()
returns table (
  flow_slug text, run_id uuid, step_slug text, task_index int, worker_id uuid, outcome text, since timestamptz, run_ended text, run_error text
)
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_found record;
  v_abandoned record;
begin
  if not pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtext('pgflow.recover_tasks')) then
    return;
  end if;
  -- in a fixed order: where several tasks of a step or run are given up, the first decides
  select
    array_agg(a.flow_slug) as flows,
    array_agg(a.run_id) as runs,
    array_agg(a.step_slug) as steps,
    array_agg(a.task_index) as indexes,
    array_agg(a.claim_no) as claims,
    array_agg(a.last) as last
  into v_found
  from (select x.* from pgflow._abandoned_tasks(true) x order by x.run_id, x.step_slug collate "C", x.task_index) a;
  -- all of them at once: one group after the other would not be in the order of ids
  perform pgflow._lock_runs(v_found.runs);

  for v_abandoned in -- two rows at most
    select
      a.last,
      array_agg(a.flow_slug order by a.n) as flows,
      array_agg(a.run_id order by a.n) as runs,
      array_agg(a.step_slug order by a.n) as steps,
      array_agg(a.task_index order by a.n) as indexes,
      array_agg(a.claim_no order by a.n) as claims
    from unnest(v_found.flows, v_found.runs, v_found.steps, v_found.indexes, v_found.claims, v_found.last)
      with ordinality a (flow_slug, run_id, step_slug, task_index, claim_no, last, n)
    group by a.last
  loop
    if v_abandoned.last then
      return query
      select
        v_abandoned.flows[f.report], f.run_id, v_abandoned.steps[f.report], v_abandoned.indexes[f.report], t.last_worker_id, f.outcome,
        t.started_at,
        case when f.report = f.last then f.run_ended end,
        case when f.report = f.last then f.run_error end
      from (
        select
          r.run_id, r.report, r.outcome,
          max(r.run_ended) over run as run_ended, -- it may be on a late report, which is left out
          max(r.run_error) over run as run_error,
          max(r.report) filter (where r.outcome = 'failed') over run as last
        from pgflow.fail_tasks(
          v_abandoned.runs, v_abandoned.steps, v_abandoned.indexes, v_abandoned.claims,
          array_fill(
            'Task was given up: it was started four times or more, and no worker reported its end'::text,
            array[cardinality(v_abandoned.runs)]),
          array_fill(true, array[cardinality(v_abandoned.runs)])
        ) r
        window run as (partition by r.run_id)
      ) f
      cross join lateral (
        select x.last_worker_id, x.started_at
        from pgflow.step_tasks x
        where x.run_id = f.run_id
          and x.step_slug = v_abandoned.steps[f.report]
          and x.task_index = v_abandoned.indexes[f.report]
        offset 0
      ) t
      where f.outcome = 'failed';
    else
      return query
      select r.flow_slug, r.run_id, r.step_slug, r.task_index, r.worker_id, 'requeued', r.since, null::text, null::text
      from pgflow._requeue_tasks(v_abandoned.runs, v_abandoned.steps, v_abandoned.indexes, v_abandoned.claims) r;
    end if;
  end loop;
end
$$;
