-- Schedules a job of pg_cron under this name, in place of one that was; returns its id.
create or replace function pgflow._schedule(p_job text, p_interval text, p_command text, p_caller text)
returns bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id bigint;
begin
  perform pgflow._require('pg_cron', 'cron.job', p_caller);
  -- as text: the objects may be missing
  execute 'select cron.unschedule(j.jobname) from cron.job j where j.jobname = $1' using p_job;
  execute 'select cron.schedule($1, $2, $3)' into v_id using p_job, p_interval, p_command;
  return v_id;
end
$$;
