-- Has pg_cron call ensure_workers in this interval, and its log cleaned every hour.
create or replace function pgflow.setup_ensure_workers_cron(cron_interval text default '1 second')
returns text
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  return format(
    'Scheduled pgflow_ensure_workers (every %s, job_id=%s) and pgflow_cleanup_logs (hourly, job_id=%s)',
    setup_ensure_workers_cron.cron_interval,
    pgflow._schedule(
      'pgflow_ensure_workers', setup_ensure_workers_cron.cron_interval,
      'select pgflow.ensure_workers()', 'setup_ensure_workers_cron'),
    pgflow._schedule(
      'pgflow_cleanup_logs', '0 * * * *',
      'select pgflow.cleanup_ensure_workers_logs()', 'setup_ensure_workers_cron'));
end
$$;
