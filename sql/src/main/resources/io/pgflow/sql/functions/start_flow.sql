-- Starts a run and returns it as it is now: it may have ended already. With the owner's rights, so that clients need none on tables and queues.
create or replace function pgflow.start_flow(flow_slug text, input jsonb, run_id uuid default null)
returns setof pgflow.runs
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_run_id uuid;
begin
  select s.run_id into v_run_id
  from pgflow._start_runs(start_flow.flow_slug, array[start_flow.input], array[start_flow.run_id], false) s;
  return query select r.* from pgflow.runs r where r.run_id = v_run_id;
end
$$;
