-- Resolves the conditions of a run's ready steps; false if the run is, or now was, failed.
create or replace function pgflow.cascade_resolve_conditions(run_id uuid)
returns boolean
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  perform pgflow._lock_runs(array[cascade_resolve_conditions.run_id]);
  perform pgflow._resolve_conditions(array[cascade_resolve_conditions.run_id]);
  return not exists (
    select from pgflow.runs r where r.run_id = cascade_resolve_conditions.run_id and r.status = 'failed');
end
$$;
