-- Says that a worker is alive, and so not stopped, whoever marked it; and tells it how it stands: running, deprecated (finish what you have and stop), or unknown (register again).
create or replace function pgflow.heartbeat(worker_id uuid)
returns text
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_deprecated boolean;
begin
  update pgflow.workers w
  set last_heartbeat_at = clock_timestamp(),
      stopped_at = null
  where w.worker_id = heartbeat.worker_id
  returning w.deprecated_at is not null into v_deprecated;
  return case when v_deprecated then 'deprecated' when not v_deprecated then 'running' else 'unknown' end;
end
$$;
