-- The follow-up work of runs in which something changed, where more than starting plain dependents may be due: resolve
-- conditions, complete steps without tasks, and so on until neither changes anything; then start what is ready and end what is
-- done. The caller holds the runs' locks. Returns the runs in which a step started.
create or replace function pgflow._settle_runs(p_run_ids uuid[])
returns uuid[]
language plpgsql
set search_path to ''
as $$
declare
  v_waves int := 0;
  v_started uuid[];
begin
  loop
    perform pgflow._resolve_conditions(p_run_ids);
    exit when pgflow._complete_taskless_steps(p_run_ids) = 0;
    v_waves := v_waves + 1;
    -- the contract counts the last, empty wave too
    if v_waves >= 50 then
      raise exception 'Cascade loop exceeded safety limit of 50 iterations';
    end if;
  end loop;
  v_started := pgflow._start_ready_steps(p_run_ids);
  perform pgflow._complete_runs(p_run_ids);
  return v_started;
end
$$;
