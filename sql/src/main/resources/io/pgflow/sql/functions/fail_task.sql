-- Records the failure of one task, whichever claim is current, and returns the task as it is at the end; no row where there is no such task.
create or replace function pgflow.fail_task(run_id uuid, step_slug text, task_index int, error_message text)
returns setof pgflow.step_tasks
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
as $$
begin
  perform pgflow.fail_tasks(
    array[fail_task.run_id], array[fail_task.step_slug], array[fail_task.task_index],
    array[null::int], array[fail_task.error_message]);
  return query
  select t.*
  from pgflow.step_tasks t
  where t.run_id = fail_task.run_id
    and t.step_slug = fail_task.step_slug
    and t.task_index = fail_task.task_index;
end
$$;
