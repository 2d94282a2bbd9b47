-- The outputs of all tasks of a map step, in the order of its elements.
create or replace function pgflow._map_output(p_run_id uuid, p_step_slug text)
returns jsonb
language plpgsql
stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
as $$
begin
  return (
    select jsonb_agg(t.output order by t.task_index)
    from pgflow.step_tasks t
    where t.run_id = p_run_id
      and t.step_slug = p_step_slug
  );
end
$$;
