-- A run with the states of its steps, as one document; NULL where there is no such run. With the owner's rights, so that clients need none on the tables.
create or replace function pgflow.get_run_with_states(run_id uuid)
returns jsonb
language sql
security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
  select jsonb_build_object(
    'run', to_jsonb(r),
    'steps', coalesce(
      (select jsonb_agg(to_jsonb(s)) from pgflow.step_states s where s.run_id = r.run_id),
      '[]'))
  from pgflow.runs r
  where r.run_id = get_run_with_states.run_id
$$;
