-- Records results: completes the tasks, and with them whatever follows: steps, dependents, runs. The five arrays go together, a
-- report each; a NULL claim number stands for whichever claim is current. A row per report, in their order:
--   outcome    completed; failed: the output is no array, which a map waits for; late: the claim is not current, nothing was changed
--   run_ended  completed or failed, on the last report of a run that this call ended
--   run_error  beside failed, what the step that failed the run has for an error
--   ready      whether a step of the run started in this call
drop function if exists pgflow.complete_tasks(uuid[], text[], int[], int[], jsonb[]); -- as it was before run_error
create or replace function pgflow.complete_tasks(
  run_ids uuid[], step_slugs text[], task_indexes int[], claim_nos int[], outputs jsonb[]
)
returns table (report int, run_id uuid, outcome text, run_ended text, run_error text, ready boolean)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_lengths int[] := array[
    cardinality(complete_tasks.run_ids), cardinality(complete_tasks.step_slugs), cardinality(complete_tasks.task_indexes),
    cardinality(complete_tasks.claim_nos), cardinality(complete_tasks.outputs)
  ];
  v_done int[];
  v_violations int[];
  v_completed uuid[];
  v_unsettled uuid[];
  v_started uuid[];
begin
  if v_lengths <> array_fill(v_lengths[1], array[5]) then
    raise exception 'run_ids, step_slugs, task_indexes, claim_nos and outputs must have one length, not %', v_lengths;
  end if;
  select c.done, c.violations, c.completed, c.unsettled, c.started
  into v_done, v_violations, v_completed, v_unsettled, v_started
  from pgflow._complete_tasks(
    complete_tasks.run_ids, complete_tasks.step_slugs, complete_tasks.task_indexes, complete_tasks.claim_nos, complete_tasks.outputs) c;

  return query
  select
    g.n::int,
    g.run_id,
    case when g.n = any (v_done) then 'completed' when g.n = any (v_violations) then 'failed' else 'late' end,
    case when g.last then e.status end,
    case when g.last then e.error end,
    coalesce(g.run_id = any (v_started), false)
  from (
    select u.run_id, u.n, u.n = max(u.n) over (partition by u.run_id) as last
    from unnest(complete_tasks.run_ids) with ordinality u (run_id, n)
  ) g
  left join (
    select u.run_id, 'completed' as status, null as error from unnest(v_completed) u (run_id)
    union -- a run may be in both
    select u.run_id, u.status, u.error from pgflow._ended_runs(v_unsettled) u
  ) e on e.run_id = g.run_id
  order by g.n;
end
$$;
