-- Those of the runs that are not started any more, with their status.
create or replace function pgflow._ended_runs(p_run_ids uuid[])
returns table (run_id uuid, status text)
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
  select r.run_id, r.status
  from (select distinct u.run_id from unnest(p_run_ids) u (run_id)) g
  cross join lateral (select x.run_id, x.status from pgflow.runs x where x.run_id = g.run_id offset 0) r
  where r.status <> 'started';
end
$$;
