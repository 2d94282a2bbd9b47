-- Has pg_cron call requeue_stalled_tasks in this interval.
create or replace function pgflow.setup_requeue_stalled_tasks_cron(cron_interval text default '15 seconds')
returns text
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  return format(
    'Scheduled pgflow_requeue_stalled_tasks (every %s, job_id=%s)',
    setup_requeue_stalled_tasks_cron.cron_interval,
    pgflow._schedule(
      'pgflow_requeue_stalled_tasks', setup_requeue_stalled_tasks_cron.cron_interval,
      'select pgflow.requeue_stalled_tasks()', 'setup_requeue_stalled_tasks_cron'));
end
$$;
