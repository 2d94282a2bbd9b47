-- The follow-up work of runs in which something changed, where more than starting plain dependents may be due: resolve
-- conditions and complete steps without tasks until neither changes anything; then start what is ready and end what is
-- done. The caller holds the runs' locks. Returns the runs in which a step started.
create or replace function pgflow._settle_runs(p_run_ids uuid[])
returns uuid[]
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_started uuid[];
begin
  perform pgflow._cascade_taskless_steps(p_run_ids);
  v_started := pgflow._start_ready_steps(p_run_ids);
  perform pgflow._complete_runs(p_run_ids);
  return v_started;
end
$$;
