-- Deletes what pg_cron logged of jobs that ended longer ago than so many hours; returns how many rows.
create or replace function pgflow.cleanup_ensure_workers_logs(retention_hours int default 24)
returns table (cron_deleted bigint)
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform pgflow._require('pg_cron', 'cron.job_run_details', 'cleanup_ensure_workers_logs');
  execute 'delete from cron.job_run_details d where d.end_time < now() - make_interval(hours => $1)'
  using cleanup_ensure_workers_logs.retention_hours;
  get diagnostics cron_deleted = row_count;
  return next;
end
$$;
