-- Lets a role work: all that a client may, and compile flows, take tasks of every flow, later ones too, and report them. Not what is an operator's: to
-- delete flows, prune, schedule, grant. Again is harmless. For the schema's owner to call.
--
-- That a role may work is written nowhere but in the privileges: it may execute claim_tasks.
create or replace function pgflow.grant_worker(role name)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_pgmq_owner name := (select pg_get_userbyid(n.nspowner) from pg_catalog.pg_namespace n where n.nspname = 'pgmq');
begin
  perform pgflow.grant_client(grant_worker.role);
  execute format('grant select on pgflow.workers, pgflow.worker_functions to %I', grant_worker.role);
  execute format(
    'grant insert on pgflow.flows, pgflow.steps, pgflow.deps, pgflow.step_tasks, pgflow.workers, pgflow.worker_functions to %I',
    grant_worker.role);
  execute format(
    'grant update on pgflow.runs, pgflow.step_states, pgflow.step_tasks, pgflow.workers, pgflow.worker_functions to %I',
    grant_worker.role);
  perform pgflow._grant_functions(
    array(
      select p.proname
      from pg_catalog.pg_proc p
      where p.pronamespace = to_regnamespace('pgflow')
        and p.proname <> all (
          '{delete_flow_and_data, prune_data_older_than, grant_client, grant_worker, _refresh_privileges, refresh_environment, ensure_workers,
            cleanup_ensure_workers_logs, setup_ensure_workers_cron, setup_requeue_stalled_tasks_cron}')
    ),
    grant_worker.role);

  if pg_has_role(v_pgmq_owner, 'usage') then
    execute format('grant usage on schema pgmq to %I', grant_worker.role);
  elsif not has_schema_privilege(grant_worker.role, 'pgmq', 'usage') then
    raise exception 'role "%" can have no rights on schema pgmq from role "%": the schema is of role "%"',
      grant_worker.role, current_user, v_pgmq_owner
      using errcode = 'insufficient_privilege',
            hint = format('Have its owner run: grant usage on schema pgmq to %I; then grant again.', grant_worker.role);
  end if;
  perform pgflow._grant_pgmq_table('meta', 'select', grant_worker.role);
  -- whoever sends to a queue that announces its messages notes the time there
  perform pgflow._grant_pgmq_table('notify_insert_throttle', 'select, update', grant_worker.role);
  perform pgflow._grant_queue(f.flow_slug, grant_worker.role) from pgflow.flows f;
end
$$;
