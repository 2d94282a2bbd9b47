-- Runs of one step as they are when all is done, a second apart, in the tables and in the queue's archive. Their ids have the order of time,
-- as those of start_flows have.

set session_replication_role = replica; -- nobody checks foreign keys

create temporary table finished as
select n, uuidv7(make_interval(secs => n - %1$d)) as run_id, now() + make_interval(secs => n - %1$d) as at
from generate_series(1, %1$d) n;

insert into pgflow.runs (run_id, flow_slug, status, input, output, started_at, completed_at)
select f.run_id, 'work', 'completed', '1', '{"a": 1}', f.at, f.at
from finished f
order by f.n;

insert into pgflow.step_states (
  flow_slug, run_id, step_slug, status, initial_tasks, remaining_tasks, output, created_at, started_at, completed_at
)
select 'work', f.run_id, 'a', 'completed', 1, 0, '1', f.at, f.at, f.at
from finished f
order by f.n;

insert into pgflow.step_tasks (
  flow_slug, run_id, step_slug, message_id, status, attempts_count, claim_no, output, queued_at, started_at, completed_at
)
select 'work', f.run_id, 'a', f.n, 'completed', 1, 1, '1', f.at, f.at, f.at
from finished f
order by f.n;

insert into pgmq.a_work (msg_id, read_ct, enqueued_at, archived_at, vt, message)
select
  f.n, 1, f.at, f.at, f.at,
  jsonb_build_object('flow_slug', 'work', 'run_id', f.run_id, 'step_slug', 'a', 'task_index', 0)
from finished f
order by f.n;

select setval(pg_get_serial_sequence('pgmq.q_work', 'msg_id'), %1$d);
