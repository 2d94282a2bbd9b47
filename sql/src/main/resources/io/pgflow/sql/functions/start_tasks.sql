-- The second phase of a two-phase poll: starts the tasks of messages read from the flow's queue, and hides each message for its step's timeout + 2 s.
create or replace function pgflow.start_tasks(flow_slug text, msg_ids bigint[], worker_id uuid)
returns setof pgflow.step_task_record
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_tasks pgflow.step_task_record[];
  v_messages bigint[];
  v_timeouts int[];
begin
  select
    array_agg((s.flow_slug, s.run_id, s.step_slug, s.input, s.msg_id, s.task_index, s.flow_input)::pgflow.step_task_record),
    array_agg(s.msg_id),
    array_agg(s.timeout)
  into v_tasks, v_messages, v_timeouts
  from pgflow._start_tasks(
    start_tasks.flow_slug, array(select distinct u.msg_id from unnest(start_tasks.msg_ids) u (msg_id)), start_tasks.worker_id) s;

  if v_tasks is not null then
    execute format(
      $q$
        update pgmq.%1$I q
        set vt = clock_timestamp() + make_interval(secs => m.timeout + 2.0),
            read_ct = greatest(q.read_ct, 1) -- whoever knows an id need not have read it; but only messages that were read are ever recovered
        from unnest($1, $2) m (msg_id, timeout)
        -- who holds one archives it, for its run has failed, and may wait for these tasks
        cross join lateral (select y.msg_id from pgmq.%1$I y where y.msg_id = m.msg_id for update skip locked) k
        where q.msg_id = k.msg_id
      $q$, pgmq.format_table_name(start_tasks.flow_slug, 'q'))
    using v_messages, v_timeouts;
    return query select t.* from unnest(v_tasks) t;
  end if;
end
$$;
