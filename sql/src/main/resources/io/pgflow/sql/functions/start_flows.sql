-- Starts a run for each input; a row per input, in their order. With a run id (NULL: a new one) starting is idempotent: a run
-- of this flow that has the id already is that run (is_new false, its input stays); one of another flow is an error. With the owner's rights, as start_flow.
create or replace function pgflow.start_flows(flow_slug text, inputs jsonb[], run_ids uuid[] default null)
returns table (run_id uuid, is_new boolean)
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  if start_flows.run_ids is not null and cardinality(start_flows.run_ids) is distinct from cardinality(start_flows.inputs) then
    raise exception 'run_ids length (%) must equal inputs length (%)',
      cardinality(start_flows.run_ids), cardinality(start_flows.inputs);
  end if;
  return query
  select s.run_id, s.is_new
  from pgflow._start_runs(start_flows.flow_slug, start_flows.inputs, start_flows.run_ids, true) s;
end
$$;
