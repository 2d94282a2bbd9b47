-- {slug: output} of the completed steps of a run on which no other step depends; NULL where none is completed.
create or replace function pgflow._run_output(p_flow_slug text, p_run_id uuid)
returns jsonb
language plpgsql
stable
set search_path to ''
set enable_seqscan to off
set enable_bitmapscan to off
as $$
begin
  return (
    select jsonb_object_agg(s.step_slug, s.output) filter (where s.status = 'completed')
    from (select x.step_slug, x.status, x.output from pgflow.step_states x where x.run_id = p_run_id offset 0) s
    where not exists (select from pgflow.deps d where d.flow_slug = p_flow_slug and d.dep_slug = s.step_slug)
  );
end
$$;
