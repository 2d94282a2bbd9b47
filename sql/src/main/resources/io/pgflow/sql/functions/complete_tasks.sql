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
  v_violations int[];        -- reports of outputs that are no arrays
  v_done int[];              -- reports that completed their task; the next four lie beside it
  v_done_flows text[];
  v_done_runs uuid[];
  v_done_steps text[];
  v_done_messages bigint[];
  v_closed_flows text[];     -- steps that these completed
  v_closed_runs uuid[];
  v_closed_steps text[];
  v_closed_sizes int[];
  v_started uuid[];          -- runs in which a step started
  v_unsettled uuid[];
begin
  if v_lengths <> array_fill(v_lengths[1], array[5]) then
    raise exception 'run_ids, step_slugs, task_indexes, claim_nos and outputs must have one length, not %', v_lengths;
  end if;
  v_violations := pgflow._fail_type_violations(
    pgflow._lock_runs(complete_tasks.run_ids),
    complete_tasks.run_ids, complete_tasks.step_slugs, complete_tasks.task_indexes, complete_tasks.claim_nos, complete_tasks.outputs);

  -- Rows are found by primary key inside a lateral that offset 0 fences off, and updated by ctid: conditions on passing
  -- states look selective to the planner, which would otherwise start from them and compare everything with everything.
  with done as (
    update pgflow.step_tasks t
    set status = 'completed',
        completed_at = greatest(now(), t.started_at), -- as a transaction may have begun before what it ends
        output = g.output
    from (
      select u.*, k.tid
      from unnest(
        complete_tasks.run_ids, complete_tasks.step_slugs, complete_tasks.task_indexes,
        complete_tasks.claim_nos, complete_tasks.outputs
      ) with ordinality u (run_id, step_slug, task_index, claim_no, output, n)
      cross join lateral (select x.status from pgflow.runs x where x.run_id = u.run_id offset 0) r
      cross join lateral (
        select x.status from pgflow.step_states x where x.run_id = u.run_id and x.step_slug = u.step_slug offset 0
      ) s
      cross join lateral (
        select x.ctid as tid
        from pgflow.step_tasks x
        where x.run_id = u.run_id
          and x.step_slug = u.step_slug
          and x.task_index = u.task_index
        offset 0
      ) k
      where r.status = 'started'
        and s.status = 'started'
    ) g
    where t.ctid = g.tid
      and t.status = 'started'
      and t.claim_no = coalesce(g.claim_no, t.claim_no)
    returning g.n, t.flow_slug, t.run_id, t.step_slug, t.message_id
  )
  select array_agg(d.n), array_agg(d.flow_slug), array_agg(d.run_id), array_agg(d.step_slug), array_agg(d.message_id)
  into v_done, v_done_flows, v_done_runs, v_done_steps, v_done_messages
  from done d;

  if v_done is not null then
    with counted as (
      update pgflow.step_states s
      set remaining_tasks = s.remaining_tasks - g.tasks,
          status = case when s.remaining_tasks = g.tasks then 'completed' else s.status end,
          completed_at = case when s.remaining_tasks = g.tasks then greatest(now(), s.started_at) end,
          output = case
            when s.remaining_tasks > g.tasks then null
            when d.step_type = 'map' then pgflow._map_output(s.run_id, s.step_slug)
            else complete_tasks.outputs[g.n]
          end
      from (
        select u.flow_slug, u.run_id, u.step_slug, count(*)::int as tasks, min(u.n) as n
        from unnest(v_done, v_done_flows, v_done_runs, v_done_steps) u (n, flow_slug, run_id, step_slug)
        group by u.flow_slug, u.run_id, u.step_slug
      ) g
      cross join lateral (
        select x.step_type from pgflow.steps x where x.flow_slug = g.flow_slug and x.step_slug = g.step_slug offset 0
      ) d
      cross join lateral (
        select x.ctid as tid from pgflow.step_states x where x.run_id = g.run_id and x.step_slug = g.step_slug offset 0
      ) k
      where s.ctid = k.tid
      returning
        s.flow_slug, s.run_id, s.step_slug, s.status,
        case
          when s.status <> 'completed' then null
          when d.step_type = 'map' then s.initial_tasks
          when jsonb_typeof(s.output) = 'array' then jsonb_array_length(s.output)
        end as size
    )
    select array_agg(c.flow_slug), array_agg(c.run_id), array_agg(c.step_slug), array_agg(c.size)
    into v_closed_flows, v_closed_runs, v_closed_steps, v_closed_sizes
    from counted c
    where c.status = 'completed';

    if v_closed_runs is not null then
      if pgflow._emits() then
        perform pgflow._send_events(v_closed_runs, v_closed_steps, null);
      end if;
      perform pgflow._count_ended_steps(v_closed_runs, null, true);
      select d.started, d.unsettled into v_started, v_unsettled
      from pgflow._resolve_dependents(v_closed_flows, v_closed_runs, v_closed_steps, v_closed_sizes, true) d;
      if v_unsettled is not null then
        v_started := v_started || pgflow._settle_runs(v_unsettled);
      end if;
    end if;
    perform pgflow._archive_messages(v_done_flows, v_done_messages);
  end if;

  if cardinality(coalesce(v_done, '{}')) < cardinality(complete_tasks.run_ids) then
    -- late reports: where the step has ended, nobody needs the message any more
    perform pgflow._archive_messages(array_agg(t.flow_slug), array_agg(t.message_id))
    from unnest(complete_tasks.run_ids, complete_tasks.step_slugs, complete_tasks.task_indexes) u (run_id, step_slug, task_index)
    cross join lateral (select x.status from pgflow.runs x where x.run_id = u.run_id offset 0) r
    cross join lateral (
      select x.status from pgflow.step_states x where x.run_id = u.run_id and x.step_slug = u.step_slug offset 0
    ) s
    cross join lateral (
      select x.flow_slug, x.message_id
      from pgflow.step_tasks x
      where x.run_id = u.run_id
        and x.step_slug = u.step_slug
        and x.task_index = u.task_index
      offset 0
    ) t
    where r.status <> 'failed'
      and s.status <> 'started';
  end if;

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
  left join pgflow._ended_runs(
    v_closed_runs || array(select complete_tasks.run_ids[v] from unnest(v_violations) v)
  ) e on e.run_id = g.run_id
  order by g.n;
end
$$;
