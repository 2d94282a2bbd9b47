-- Completes a run's ready steps that have no task, and those that follow from these; returns how many.
create or replace function pgflow.cascade_complete_taskless_steps(run_id uuid)
returns int
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  perform pgflow._lock_runs(array[cascade_complete_taskless_steps.run_id]);
  return pgflow._cascade_taskless_steps(array[cascade_complete_taskless_steps.run_id]);
end
$$;
