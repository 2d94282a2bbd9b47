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
  v_hidden_for int[];
  v_unread bigint[];
begin
  select
    array_agg((s.flow_slug, s.run_id, s.step_slug, s.input, s.msg_id, s.task_index, s.flow_input)::pgflow.step_task_record),
    array_agg(s.timeout + 2)
  into v_tasks, v_hidden_for
  from pgflow._start_tasks(
    start_tasks.flow_slug, array(select distinct u.msg_id from unnest(start_tasks.msg_ids) u (msg_id)), start_tasks.worker_id) s;

  if v_tasks is not null then
    select array_agg(m.msg_id) filter (where m.read_ct = 0) into v_unread
    from pgflow.set_vt_batch(start_tasks.flow_slug, array(select t.msg_id from unnest(v_tasks) t), v_hidden_for) m;
    if v_unread is not null then
      -- whoever knows a message's id need not have read it; but only tasks of messages that were read are ever recovered
      execute format('update pgmq.%I q set read_ct = 1 where q.msg_id = any ($1)', pgmq.format_table_name(start_tasks.flow_slug, 'q'))
      using v_unread;
    end if;
    return query select t.* from unnest(v_tasks) t;
  end if;
end
$$;
