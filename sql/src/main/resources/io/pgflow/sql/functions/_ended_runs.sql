-- Those of the runs that are not started any more, with their status, and the error of the step that failed them.
drop function if exists pgflow._ended_runs(uuid[]); -- as it was before error
create or replace function pgflow._ended_runs(p_run_ids uuid[])
returns table (run_id uuid, status text, error text)
language plpgsql
stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  return query
  select
    r.run_id,
    r.status,
    case
      when r.status = 'failed'
      then (select s.error_message from pgflow.step_states s where s.run_id = r.run_id and s.status = 'failed' limit 1)
    end
  from (select distinct u.run_id from unnest(p_run_ids) u (run_id)) g
  cross join lateral (select x.run_id, x.status from pgflow.runs x where x.run_id = g.run_id offset 0) r
  where r.status <> 'started';
end
$$;
