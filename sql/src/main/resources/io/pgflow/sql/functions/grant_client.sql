-- Lets a role start runs, of flows that are there now or later, and read flows, steps, runs, their states and tasks. Not more: it can claim nothing
-- and report nothing. Again is harmless. For the schema's owner to call.
create or replace function pgflow.grant_client(role name)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_catalog.pg_roles r where r.rolname = grant_client.role) then
    raise exception 'role "%" does not exist', grant_client.role
      using errcode = 'undefined_object', hint = 'Create it first. Its name is taken as it is given, capitals included.';
  end if;
  execute format('grant usage on schema pgflow to %I', grant_client.role);
  execute format(
    'grant select on pgflow.flows, pgflow.steps, pgflow.deps, pgflow.runs, pgflow.step_states, pgflow.step_tasks, pgflow.schema_history to %I',
    grant_client.role);
  -- these work with the owner's rights, so that a client needs none on the tables and queues behind them
  perform pgflow._grant_functions('{start_flow, start_flows, start_flow_with_states, get_run_with_states, await_runs}', grant_client.role);
end
$$;
