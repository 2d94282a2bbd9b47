-- The array that a map step of a run fans out over: the run's input, or the output of the one step it depends on.
create or replace function pgflow._map_source(p_flow_slug text, p_step_slug text, p_run_id uuid)
returns jsonb
language plpgsql
stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
as $$
declare
  v_dep text;
  v_source jsonb;
begin
  select d.dep_slug into v_dep from pgflow.deps d where d.flow_slug = p_flow_slug and d.step_slug = p_step_slug;
  if found then
    select s.output into v_source from pgflow.step_states s where s.run_id = p_run_id and s.step_slug = v_dep;
  else
    select r.input into v_source from pgflow.runs r where r.run_id = p_run_id;
  end if;
  return case when jsonb_typeof(v_source) = 'array' then v_source end;
end
$$;
