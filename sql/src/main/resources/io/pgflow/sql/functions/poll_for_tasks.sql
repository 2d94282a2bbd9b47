-- Of pgflow's first protocol; it gives nothing any more.
create or replace function pgflow.poll_for_tasks(
  queue_name text, vt int, qty int, max_poll_seconds int default 5, poll_interval_ms int default 100
)
returns setof pgflow.step_task_record
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  raise notice 'poll_for_tasks is deprecated and returns nothing: read the queue and call start_tasks, or call claim_tasks';
end
$$;
