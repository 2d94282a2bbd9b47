-- Completes a run that has no step left.
create or replace function pgflow.maybe_complete_run(run_id uuid)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  perform pgflow._lock_runs(array[maybe_complete_run.run_id]);
  perform pgflow._complete_runs(array[maybe_complete_run.run_id]);
end
$$;
