-- Starts the steps of a run that wait for nothing any more and have tasks.
create or replace function pgflow.start_ready_steps(run_id uuid)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  perform pgflow._lock_runs(array[start_ready_steps.run_id]);
  perform pgflow._start_ready_steps(array[start_ready_steps.run_id]);
end
$$;
