-- Reads up to qty messages of the flow's queue and starts their tasks, both at once; each message is hidden for its step's timeout + 2 s. A row per task, in
-- no order; attempt counts from 1, claim_no goes back with the report, timeout is in seconds, waited the
-- milliseconds since its message was visible. Input as start_tasks has it.
--
-- Reads by time of visibility, not by id: the queue's other index would walk over all messages in flight. One statement reads and hides, by the step
-- that each message names: what names the queue is planned at each call. A message whose task cannot be started is archived where the task, its step or
-- its run has ended or there is no task, hidden until its attempt is overdue where it runs, and visible again where it is still queued.
-- Never drop it: who may execute it is who was granted the part of a worker.
create or replace function pgflow.claim_tasks(flow_slug text, worker_id uuid, qty int)
returns table (
  run_id uuid, step_slug text, task_index int, msg_id bigint,
  attempt int, claim_no int, timeout int, input jsonb, flow_input jsonb, waited bigint
)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_queue text := pgmq.format_table_name(claim_tasks.flow_slug, 'q');
  v_now timestamptz := clock_timestamp();
  v_timeouts jsonb := (
    select jsonb_object_agg(s.step_slug, coalesce(s.opt_timeout, f.opt_timeout))
    from pgflow.flows f
    join pgflow.steps s on s.flow_slug = f.flow_slug
    where f.flow_slug = claim_tasks.flow_slug
  );
  v_ids bigint[];
  v_visible_since timestamptz[];
  v_started int;
begin
  if num_nulls(claim_tasks.flow_slug, claim_tasks.worker_id) > 0 or coalesce(claim_tasks.qty, -1) < 0 then
    raise exception 'claim_tasks needs a flow, a worker and a qty of 0 or more, not flow %, worker %, qty %',
      claim_tasks.flow_slug, claim_tasks.worker_id, claim_tasks.qty;
  end if;
  -- whoever lost the answer waits until it is known what was claimed: release_lost_tasks
  perform pg_advisory_xact_lock_shared(hashtext('pgflow.claim_tasks'), hashtext(claim_tasks.worker_id::text));
  execute format(
    $q$
      with visible as materialized (
        select x.ctid as tid, x.vt
        from pgmq.%1$I x
        where x.vt <= $1
        order by x.vt
        limit $2
        for update skip locked
      ),
      hidden as (
        update pgmq.%1$I q
        set vt = clock_timestamp() + make_interval(secs => coalesce($3 ->> (q.message ->> 'step_slug'), '60')::float8 + 2),
            read_ct = q.read_ct + 1
        from visible v
        where q.ctid = v.tid
        returning q.msg_id, v.vt
      )
      select array_agg(h.msg_id order by h.msg_id), array_agg(h.vt order by h.msg_id) from hidden h
    $q$, v_queue)
  into v_ids, v_visible_since
  using v_now, claim_tasks.qty, v_timeouts;
  if v_ids is null then
    return;
  end if;

  return query
  select
    s.run_id, s.step_slug, s.task_index, s.msg_id, s.attempt, s.claim_no, s.timeout, s.input, s.flow_input,
    (extract(epoch from v_now - m.visible_since) * 1000)::bigint
  from pgflow._start_tasks(claim_tasks.flow_slug, v_ids, claim_tasks.worker_id) s
  join unnest(v_ids, v_visible_since) m (msg_id, visible_since) on m.msg_id = s.msg_id;
  get diagnostics v_started = row_count;

  if v_started < cardinality(v_ids) then
    perform pgflow._put_aside(claim_tasks.flow_slug, v_ids);
  end if;
end
$$;
