-- The least SQL that makes the same rows pass through the same states as runs of one step do, by arrays: no graph, no claim numbers, no look at
-- what is there, one flow with fixed values. Whatever keeps these tables can hardly be faster. Rows are found as the real functions find them.

create schema floor;

create function floor.insert_runs(ids uuid[])
returns void
language plpgsql
set jit to off
as $$
begin
  insert into pgflow.runs (run_id, flow_slug, input, remaining_steps)
  select u.id, 'work', '1', 1 from unnest(ids) u (id);

  insert into pgflow.step_states (flow_slug, run_id, step_slug, remaining_deps, initial_tasks, status, remaining_tasks, started_at)
  select 'work', u.id, 'a', 0, 1, 'started', 1, now() from unnest(ids) u (id);

  with messages as (
    insert into pgmq.q_work (vt, message)
    select clock_timestamp(), jsonb_build_object('flow_slug', 'work', 'run_id', u.id, 'step_slug', 'a', 'task_index', 0)
    from unnest(ids) u (id)
    returning msg_id, (message ->> 'run_id')::uuid as run_id
  )
  insert into pgflow.step_tasks (flow_slug, run_id, step_slug, task_index, message_id)
  select 'work', m.run_id, 'a', 0, m.msg_id from messages m;
end
$$;

create function floor.read_and_start(qty int, worker uuid, out messages bigint[], out runs uuid[])
language plpgsql
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  with read as (
    update pgmq.q_work q
    set vt = clock_timestamp() + interval '62 s', read_ct = q.read_ct + 1
    from (select x.ctid as tid from pgmq.q_work x where x.vt <= v_now order by x.vt limit qty for update skip locked) m
    where q.ctid = m.tid
    returning q.msg_id, (q.message ->> 'run_id')::uuid as run_id
  )
  select array_agg(r.msg_id), array_agg(r.run_id) into messages, runs from read r;

  update pgflow.step_tasks t
  set status = 'started', started_at = clock_timestamp(), attempts_count = t.attempts_count + 1, claim_no = t.claim_no + 1, last_worker_id = worker
  from unnest(runs) u (id)
  cross join lateral (
    select x.ctid as tid from pgflow.step_tasks x where x.run_id = u.id and x.step_slug = 'a' and x.task_index = 0 offset 0
  ) k
  where t.ctid = k.tid;
end
$$;

create function floor.complete(messages bigint[], runs uuid[])
returns void
language plpgsql
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
begin
  update pgflow.step_tasks t
  set status = 'completed', completed_at = clock_timestamp(), output = '1'
  from unnest(runs) u (id)
  cross join lateral (
    select x.ctid as tid from pgflow.step_tasks x where x.run_id = u.id and x.step_slug = 'a' and x.task_index = 0 offset 0
  ) k
  where t.ctid = k.tid;

  update pgflow.step_states s
  set status = 'completed', completed_at = clock_timestamp(), output = '1', remaining_tasks = 0
  from unnest(runs) u (id)
  cross join lateral (select x.ctid as tid from pgflow.step_states x where x.run_id = u.id and x.step_slug = 'a' offset 0) k
  where s.ctid = k.tid;

  update pgflow.runs r
  set status = 'completed', completed_at = clock_timestamp(), output = '{"a": 1}', remaining_steps = 0
  from unnest(runs) u (id)
  cross join lateral (select x.ctid as tid from pgflow.runs x where x.run_id = u.id offset 0) k
  where r.ctid = k.tid;

  with gone as (
    delete from pgmq.q_work q
    using unnest(messages) u (id)
    cross join lateral (select x.ctid as tid from pgmq.q_work x where x.msg_id = u.id offset 0) k
    where q.ctid = k.tid
    returning q.msg_id, q.read_ct, q.enqueued_at, q.vt, q.message, q.headers
  )
  insert into pgmq.a_work (msg_id, read_ct, enqueued_at, vt, message, headers) select g.* from gone g;
end
$$;
