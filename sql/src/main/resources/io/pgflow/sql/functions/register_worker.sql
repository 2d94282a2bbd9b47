-- Enters a worker, or enters it again: then it is not stopped, whoever marked it. heartbeat_interval is its promise to call heartbeat that
-- often; NULL: no promise.
create or replace function pgflow.register_worker(
  worker_id uuid, queue_name text, function_name text, heartbeat_interval interval default null
)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  insert into pgflow.workers as w (worker_id, queue_name, function_name, heartbeat_interval, started_at, last_heartbeat_at)
  values (
    register_worker.worker_id, register_worker.queue_name, register_worker.function_name, register_worker.heartbeat_interval,
    clock_timestamp(), clock_timestamp()
  )
  on conflict on constraint workers_pkey do update
  set last_heartbeat_at = clock_timestamp(),
      stopped_at = null,
      heartbeat_interval = excluded.heartbeat_interval;
end
$$;
