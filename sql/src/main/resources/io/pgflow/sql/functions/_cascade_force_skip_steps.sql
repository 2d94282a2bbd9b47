-- Skips a step of a run and everything downstream, for the given reason, and returns how many were skipped. It does not end the run.
create or replace function pgflow._cascade_force_skip_steps(run_id uuid, step_slug text, skip_reason text)
returns int
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  perform pgflow._lock_runs(array[_cascade_force_skip_steps.run_id]);
  if not exists (select from pgflow.runs r where r.run_id = _cascade_force_skip_steps.run_id) then
    raise exception 'Run not found: %', _cascade_force_skip_steps.run_id;
  end if;
  return pgflow._skip_steps(
    array[_cascade_force_skip_steps.run_id], array[_cascade_force_skip_steps.step_slug],
    _cascade_force_skip_steps.skip_reason, null, true, false);
end
$$;
