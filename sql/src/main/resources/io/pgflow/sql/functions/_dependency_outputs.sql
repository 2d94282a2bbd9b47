-- What a step of a run gets from the steps it depends on: {slug: output} of the completed ones; skipped ones have no key.
create or replace function pgflow._dependency_outputs(p_flow_slug text, p_run_id uuid, p_step_slug text)
returns jsonb
language sql
stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
as $$
  select coalesce(jsonb_object_agg(d.dep_slug, s.output) filter (where s.status = 'completed'), '{}')
  from pgflow.deps d
  cross join lateral (
    select x.status, x.output from pgflow.step_states x where x.run_id = p_run_id and x.step_slug = d.dep_slug offset 0
  ) s
  where d.flow_slug = p_flow_slug
    and d.step_slug = p_step_slug
$$;
