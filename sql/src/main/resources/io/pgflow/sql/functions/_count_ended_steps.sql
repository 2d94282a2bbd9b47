-- Takes steps that were completed or skipped off their runs' counts: so many for each run id, or, where p_steps is NULL, one for each time the id
-- is given. With p_complete, a run that has no step left is completed in the same update, with the outputs of its completed leaf steps
-- (NULL where none is completed). Where somebody waits for one of those, that is announced. The caller holds the runs' locks.
create or replace function pgflow._count_ended_steps(p_run_ids uuid[], p_steps int[], p_complete boolean)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_completed uuid[];
  v_awaited boolean;
begin
  with counted as (
    update pgflow.runs r
    set remaining_steps = r.remaining_steps - e.steps,
        status = case when e.completes then 'completed' else r.status end,
        completed_at = case when e.completes then greatest(now(), r.started_at) else r.completed_at end,
        output = case
          when e.completes then (
            select jsonb_object_agg(s.step_slug, s.output) filter (where s.status = 'completed')
            from pgflow.step_states s
            where s.run_id = r.run_id
              and not exists (select from pgflow.deps d where d.flow_slug = r.flow_slug and d.dep_slug = s.step_slug)
          )
          else r.output
        end
    from (
      select g.steps, k.tid, p_complete and k.status = 'started' and k.remaining_steps = g.steps as completes
      from (
        select u.run_id, sum(coalesce(u.steps, 1))::int as steps
        from unnest(p_run_ids, p_steps) u (run_id, steps)
        group by u.run_id
        order by u.run_id
      ) g
      cross join lateral (
        select x.ctid as tid, x.status, x.remaining_steps from pgflow.runs x where x.run_id = g.run_id offset 0
      ) k
    ) e
    where r.ctid = e.tid
      and (e.steps > 0 or e.completes)
    returning r.run_id, e.completes, r.awaited
  )
  select array_agg(c.run_id), bool_or(c.awaited) into v_completed, v_awaited from counted c where c.completes;

  if v_completed is not null and pgflow._emits() then
    perform pgflow._send_events(v_completed, null, null);
  end if;
  if v_awaited then
    perform pg_notify('pgflow.run_ended', '');
  end if;
end
$$;
