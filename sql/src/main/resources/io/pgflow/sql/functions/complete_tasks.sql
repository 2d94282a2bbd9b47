-- Records results: completes the tasks, and with them whatever follows: steps, dependents, runs. The arrays go together, a
-- report each; a NULL claim number stands for whichever claim is current. A worker's id beside a report says that it has room for a task of a step
-- that this report makes ready, if the step has one task and no delay; such a task is started for it at once and is in no answer to a claim. NULL
-- workers, and those that are unknown, deprecated or stopped, are given nothing. A row per report, in their order:
--   outcome    completed; failed: the output is no array, which a map waits for; late: the claim is not current, nothing was changed
--   run_ended  completed or failed, on the last report of a run that this call ended
--   run_error  beside failed, what the step that failed the run has for an error
--   ready      whether a step of the run started in this call whose tasks can be claimed
--   next_step  the step whose task the report's worker was given: task 0, attempt 1, claim 1
--   next_timeout, next_input  beside next_step, in seconds, and as start_tasks has it
drop function if exists pgflow.complete_tasks(uuid[], text[], int[], int[], jsonb[]); -- as it was before worker_ids
create or replace function pgflow.complete_tasks(
  run_ids uuid[], step_slugs text[], task_indexes int[], claim_nos int[], outputs jsonb[],
  worker_ids uuid[] default null
)
returns table (
  report int, run_id uuid, outcome text, run_ended text, run_error text, ready boolean,
  next_step text, next_timeout int, next_input jsonb
)
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
  v_able uuid[];
  v_workers uuid[];  -- beside the reports; only those that can be given tasks, NULL if there are none
  v_reports int[];   -- the next four lie side by side
  v_flows text[];
  v_steps text[];
  v_timeouts int[];
begin
  if v_lengths <> array_fill(v_lengths[1], array[5]) then
    raise exception 'run_ids, step_slugs, task_indexes, claim_nos and outputs must have one length, not %', v_lengths;
  end if;
  if complete_tasks.worker_ids is not null then
    if cardinality(complete_tasks.worker_ids) <> v_lengths[1] then
      raise exception 'worker_ids must have the length of run_ids, % instead of %',
        v_lengths[1], cardinality(complete_tasks.worker_ids);
    end if;
    -- before any lock of a run: whoever lost the answer waits until it is known what was handed over, as with claims
    perform pg_advisory_xact_lock_shared(hashtext('pgflow.claim_tasks'), hashtext(w.worker_id::text))
    from (
      select distinct u.worker_id
      from unnest(complete_tasks.worker_ids) u (worker_id)
      where u.worker_id is not null
      order by u.worker_id -- else two calls and two releases may wait in a circle
    ) w;
    v_able := array(
      select x.worker_id
      from pgflow.workers x
      where x.worker_id = any (complete_tasks.worker_ids)
        and x.deprecated_at is null
        and x.stopped_at is null
      for key share -- none is deleted before its tasks refer to it
    );
    if v_able <> '{}' then
      v_workers := array(
        select case when u.worker_id = any (v_able) then u.worker_id end
        from unnest(complete_tasks.worker_ids) with ordinality u (worker_id, n)
        order by u.n
      );
    end if;
  end if;
  select
    c.done, c.violations, c.completed, c.unsettled, c.started, c.next_reports, c.next_flows, c.next_steps, c.next_timeouts
  into v_done, v_violations, v_completed, v_unsettled, v_started, v_reports, v_flows, v_steps, v_timeouts
  from pgflow._complete_tasks(
    complete_tasks.run_ids, complete_tasks.step_slugs, complete_tasks.task_indexes, complete_tasks.claim_nos, complete_tasks.outputs,
    v_workers) c;

  return query
  select
    g.n::int,
    g.run_id,
    case when c.n is not null then 'completed' when v.n is not null then 'failed' else 'late' end,
    e.status,
    e.error,
    s.run_id is not null,
    h.step_slug,
    h.timeout,
    case when h.step_slug is not null then ( -- _dependency_outputs, without a call for each task
      select coalesce(jsonb_object_agg(d.dep_slug, o.output) filter (where o.status = 'completed'), '{}')
      from pgflow.deps d
      cross join lateral (
        select x.status, x.output from pgflow.step_states x where x.run_id = g.run_id and x.step_slug = d.dep_slug offset 0
      ) o
      where d.flow_slug = h.flow_slug
        and d.step_slug = h.step_slug
    ) end
  from unnest(complete_tasks.run_ids) with ordinality g (run_id, n)
  left join unnest(v_done) c (n) on c.n = g.n
  left join unnest(v_violations) v (n) on v.n = g.n
  left join (
    select max(u.n) as n, min(x.status) as status, min(x.error) as error
    from (
      select y.run_id, 'completed' as status, null as error from unnest(v_completed) y (run_id)
      union all -- a run may be in both, with the same status
      select y.run_id, y.status, y.error from pgflow._ended_runs(v_unsettled) y
    ) x
    join unnest(complete_tasks.run_ids) with ordinality u (run_id, n) on u.run_id = x.run_id
    group by x.run_id
  ) e on e.n = g.n
  left join (select distinct u.run_id from unnest(v_started) u (run_id)) s on s.run_id = g.run_id
  left join unnest(v_reports, v_flows, v_steps, v_timeouts) h (n, flow_slug, step_slug, timeout) on h.n = g.n
  order by g.n;
end
$$;
