-- Takes steps that were completed or skipped off their runs' counts: so many for each run, or, where p_steps is NULL, one for each time the run
-- is given. Runs are given by where their rows are. With p_complete, a run that has no step left is completed in the same update, with the outputs
-- of its completed leaf steps (NULL where none is completed). Where somebody waits for one of those, that is announced. Returns the runs completed.
-- The caller holds the runs' locks.
drop function if exists pgflow._count_ended_steps(uuid[], int[], boolean); -- as it was when runs were given by their ids
create or replace function pgflow._count_ended_steps(p_runs tid[], p_steps int[], p_complete boolean)
returns uuid[]
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
        status = case when r.status = 'started' and r.remaining_steps = e.last then 'completed' else r.status end,
        completed_at = case
          when r.status = 'started' and r.remaining_steps = e.last then greatest(now(), r.started_at)
          else r.completed_at
        end,
        output = case
          when r.status = 'started' and r.remaining_steps = e.last then (
            select jsonb_object_agg(s.step_slug, s.output) filter (where s.status = 'completed')
            from pgflow.step_states s
            where s.run_id = r.run_id
              and not exists (select from pgflow.deps d where d.flow_slug = r.flow_slug and d.dep_slug = s.step_slug)
          )
          else r.output
        end
    from (
      select g.tid, g.steps, case when p_complete then g.steps end as last -- that many left: these are the run's last
      from (
        select u.tid, sum(coalesce(u.steps, 1))::int as steps
        from unnest(p_runs, p_steps) u (tid, steps)
        group by u.tid
      ) g
    ) e
    where r.ctid = e.tid
      and (e.steps > 0 or (r.status = 'started' and r.remaining_steps = e.last))
    returning r.run_id, r.status, r.awaited
  )
  select array_agg(c.run_id), bool_or(c.awaited) into v_completed, v_awaited from counted c where c.status = 'completed';

  if v_completed is not null and pgflow._emits() then
    perform pgflow._send_events(v_completed, null, null);
  end if;
  if v_awaited then
    perform pg_notify('pgflow.run_ended', '');
  end if;
  return v_completed;
end
$$;
