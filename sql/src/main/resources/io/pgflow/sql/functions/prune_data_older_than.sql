-- Deletes what ended longer ago than the interval: runs with all they have, archived messages, and workers that have been silent as long and have no task in
-- hand. Definitions and runs that have not ended stay, and what somebody works on at this moment: the next call finds it.
create or replace function pgflow.prune_data_older_than(retention_interval interval)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_before timestamptz := now() - prune_data_older_than.retention_interval;
  v_runs uuid[] := array(
    select r.run_id
    from pgflow.runs r
    where r.completed_at < v_before or r.failed_at < v_before
    order by r.run_id
    for update skip locked); -- runs before all that they have, as everybody locks them
  v_queue record;
begin
  for v_queue in
    select t.flow_slug, array_agg(t.message_id) as msg_ids
    from pgflow.step_tasks t
    where t.run_id = any (v_runs)
      and t.message_id is not null
      and exists (select from pgmq.list_queues() q where q.queue_name = t.flow_slug)
    group by t.flow_slug
    order by t.flow_slug
  loop
    perform pgmq.delete(v_queue.flow_slug, v_queue.msg_ids);
  end loop;
  delete from pgflow.step_tasks t where t.run_id = any (v_runs);
  delete from pgflow.step_states s where s.run_id = any (v_runs);
  delete from pgflow.runs r where r.run_id = any (v_runs);
  -- last, when there are fewer tasks to look through
  delete from pgflow.workers w
  where w.last_heartbeat_at < v_before
    and not exists (select from pgflow.step_tasks t where t.last_worker_id = w.worker_id and t.status = 'started');

  for v_queue in
    select f.flow_slug, pgmq.format_table_name(f.flow_slug, 'a') as archive
    from pgflow.flows f
    order by f.flow_slug
  loop
    if to_regclass(format('pgmq.%I', v_queue.archive)) is not null then
      execute format('delete from pgmq.%I a where a.archived_at < $1', v_queue.archive) using v_before;
    end if;
  end loop;
end
$$;
