-- What complete_tasks does; its arrays, all of one length but for p_worker_ids, which may be NULL, and has only workers that can be given tasks. Returns the numbers of the reports that completed their task (done) and of those whose
-- output is no array, which a map waits for (violations), the runs that this completed, those that may have ended otherwise, one id or more each,
-- those in which a step started whose tasks are in the queue, and what _hand_over did.
drop function if exists pgflow._complete_tasks(uuid[], text[], int[], int[], jsonb[]); -- as it was before it handed over
create or replace function pgflow._complete_tasks(
  p_run_ids uuid[], p_step_slugs text[], p_task_indexes int[], p_claim_nos int[], p_outputs jsonb[], p_worker_ids uuid[],
  out done int[], out violations int[], out completed uuid[], out unsettled uuid[], out started uuid[],
  out next_reports int[], out next_flows text[], out next_steps text[], out next_timeouts int[]
)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_flows text[] := pgflow._lock_runs(p_run_ids);
  v_dependents boolean;      -- whether any step waits for one of these
  v_sources text[];          -- those of these steps that a map fans out over and that are no maps
  v_done_flows text[];       -- the next five lie beside done
  v_done_steps text[];
  v_done_messages bigint[];
  v_done_runs tid[];         -- where the rows are: as long as the runs are locked, only this moves them
  v_done_states tid[];
  v_closed_flows text[];     -- steps that these completed
  v_closed_ids uuid[];
  v_closed_steps text[];
  v_closed_sizes int[];
  v_closed_runs tid[];
  v_closed_reports int[];    -- of the report that a step's output is of
  v_ready record;            -- steps that follow from these
begin
  v_dependents := exists (
    select
    from unnest(v_flows) f (flow_slug)
    join pgflow.deps d on d.flow_slug = f.flow_slug and d.dep_slug = any (p_step_slugs)
  );
  if v_dependents then
    v_sources := array(
      select d.dep_slug
      from unnest(v_flows) f (flow_slug)
      cross join (select distinct x.step_slug from unnest(p_step_slugs) x (step_slug)) u
      join pgflow.deps d on d.flow_slug = f.flow_slug and d.dep_slug = u.step_slug
      join pgflow.steps m on m.flow_slug = d.flow_slug and m.step_slug = d.step_slug
      join pgflow.steps s on s.flow_slug = d.flow_slug and s.step_slug = d.dep_slug
      where m.step_type = 'map'
        and s.step_type = 'single'
    );
  end if;
  if v_sources <> '{}' then
    violations := pgflow._fail_type_violations(v_sources, p_run_ids, p_step_slugs, p_task_indexes, p_claim_nos, p_outputs);
  end if;

  -- Rows are found by primary key inside a lateral that offset 0 fences off, and updated by ctid: conditions on passing
  -- states look selective to the planner, which would otherwise start from them and compare everything with everything.
  with completed as (
    update pgflow.step_tasks t
    set status = 'completed',
        completed_at = greatest(now(), t.started_at), -- as a transaction may have begun before what it ends
        output = g.output
    from (
      select u.*, r.tid as run, s.tid as state, k.tid
      from unnest(p_run_ids, p_step_slugs, p_task_indexes, p_claim_nos, p_outputs)
        with ordinality u (run_id, step_slug, task_index, claim_no, output, n)
      cross join lateral (select x.ctid as tid, x.status from pgflow.runs x where x.run_id = u.run_id offset 0) r
      cross join lateral (
        select x.ctid as tid, x.status from pgflow.step_states x where x.run_id = u.run_id and x.step_slug = u.step_slug offset 0
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
    returning g.n, t.flow_slug, t.step_slug, t.message_id, g.run, g.state
  )
  select array_agg(d.n), array_agg(d.flow_slug), array_agg(d.step_slug), array_agg(d.message_id), array_agg(d.run), array_agg(d.state)
  into done, v_done_flows, v_done_steps, v_done_messages, v_done_runs, v_done_states
  from completed d;

  if done is not null then
    with counted as (
      update pgflow.step_states s
      set remaining_tasks = s.remaining_tasks - g.tasks,
          status = case when s.remaining_tasks = g.tasks then 'completed' else s.status end,
          completed_at = case when s.remaining_tasks = g.tasks then greatest(now(), s.started_at) end,
          output = case
            when s.remaining_tasks > g.tasks then null
            when d.step_type = 'map' then pgflow._map_output(s.run_id, s.step_slug)
            else p_outputs[g.n]
          end
      from (
        select
          u.state, min(u.run) as run, min(u.flow_slug) as flow_slug, min(u.step_slug) as step_slug,
          count(*)::int as tasks, min(u.n) as n
        from unnest(done, v_done_flows, v_done_steps, v_done_runs, v_done_states) u (n, flow_slug, step_slug, run, state)
        group by u.state
      ) g
      cross join lateral (
        select x.step_type from pgflow.steps x where x.flow_slug = g.flow_slug and x.step_slug = g.step_slug offset 0
      ) d
      where s.ctid = g.state
      returning
        s.flow_slug, s.run_id, s.step_slug, s.status, g.run, g.n,
        case
          when s.status <> 'completed' then null
          when d.step_type = 'map' then s.initial_tasks
          when jsonb_typeof(s.output) = 'array' then jsonb_array_length(s.output)
        end as size
    )
    select array_agg(c.flow_slug), array_agg(c.run_id), array_agg(c.step_slug), array_agg(c.size), array_agg(c.run), array_agg(c.n)
    into v_closed_flows, v_closed_ids, v_closed_steps, v_closed_sizes, v_closed_runs, v_closed_reports
    from counted c
    where c.status = 'completed';

    if v_closed_ids is not null then
      if pgflow._emits() then
        perform pgflow._send_events(v_closed_ids, v_closed_steps, null);
      end if;
      completed := pgflow._count_ended_steps(v_closed_runs, null, true);
      if v_dependents then
        select d.flow_slugs, d.run_ids, d.step_slugs, d.sizes, d.reports, d.unsettled into v_ready
        from pgflow._resolve_dependents(v_closed_flows, v_closed_ids, v_closed_steps, v_closed_sizes, v_closed_reports, true) d;
        if p_worker_ids is null and v_ready.run_ids is not null then
          started := v_ready.run_ids;
          perform pgflow._enqueue_tasks(v_ready.flow_slugs, v_ready.run_ids, v_ready.step_slugs, v_ready.sizes);
        elsif v_ready.run_ids is not null then
          select h.queued, h.next_reports, h.next_flows, h.next_steps, h.next_timeouts
          into started, next_reports, next_flows, next_steps, next_timeouts
          from pgflow._hand_over(
            v_ready.flow_slugs, v_ready.run_ids, v_ready.step_slugs, v_ready.sizes, v_ready.reports, p_worker_ids) h;
        end if;
        unsettled := v_ready.unsettled;
        if unsettled is not null then
          started := started || pgflow._settle_runs(unsettled);
        end if;
      end if;
    end if;
    perform pgflow._archive_messages(v_done_flows, v_done_messages);
  end if;

  if cardinality(coalesce(done, '{}')) < cardinality(p_run_ids) then
    -- late reports: where the step has ended, nobody needs the message any more
    perform pgflow._archive_messages(array_agg(t.flow_slug), array_agg(t.message_id))
    from unnest(p_run_ids, p_step_slugs, p_task_indexes) u (run_id, step_slug, task_index)
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
  if violations is not null then
    unsettled := unsettled || array(select p_run_ids[v] from unnest(violations) v);
  end if;
end
$$;
