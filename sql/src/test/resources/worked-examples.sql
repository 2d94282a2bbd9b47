-- Worked examples of pgflow's contract, by the calls that its clients make, on a database with the schema and without flows. For psql with
-- ON_ERROR_STOP: the first difference from what the contract says is an error.

\set QUIET on
\pset pager off
\pset format unaligned
\pset tuples_only on

create function pg_temp.expect(what text, actual text, expected text)
returns text
language plpgsql
as $$
begin
  if actual is distinct from expected then
    raise exception E'%:\nexpected\n%\nbut there is\n%', what, expected, actual;
  end if;
  return what || E':\n' || actual;
end
$$;

-- step, status, remaining_deps, initial_tasks, remaining_tasks, output, error
create function pg_temp.steps(run uuid)
returns text
language sql
as $$
  select string_agg(
    concat_ws(
      ' | ', s.step_slug, s.status, s.remaining_deps, coalesce(s.initial_tasks::text, '-'), coalesce(s.remaining_tasks::text, '-'), s.output,
      s.error_message),
    E'\n' order by d.step_index)
  from pgflow.step_states s
  join pgflow.steps d on d.flow_slug = s.flow_slug and d.step_slug = s.step_slug
  where s.run_id = run
$$;

create function pg_temp.run(run uuid)
returns text
language sql
as $$
  select concat_ws(' | ', r.status, r.remaining_steps, r.output) from pgflow.runs r where r.run_id = run
$$;

-- task, status, message, attempts, error
create function pg_temp.tasks(run uuid)
returns text
language sql
as $$
  select string_agg(
    concat_ws(' | ', format('%s[%s]', t.step_slug, t.task_index), t.status, t.message_id, t.attempts_count, t.error_message),
    E'\n' order by t.message_id)
  from pgflow.step_tasks t
  where t.run_id = run
$$;

-- Reads with pgmq's polling read, then starts the tasks; what the worker is given: task, input, flow_input.
create function pg_temp.poll(flow text)
returns text
language plpgsql
as $$
declare
  msg_ids bigint[] := array(
    select r.msg_id
    from pgmq.read_with_poll(queue_name => flow, vt => 5, qty => 10, max_poll_seconds => 2, poll_interval_ms => 100) r);
begin
  return (
    select string_agg(concat_ws(' | ', format('%s[%s]', t.step_slug, t.task_index), t.input, t.flow_input), E'\n' order by t.msg_id)
    from pgflow.start_tasks(flow_slug => flow, msg_ids => msg_ids, worker_id => '11111111-1111-1111-1111-111111111111'::uuid) t);
end
$$;

-- a worker enters itself
select pgflow.track_worker_function('by_hand');
insert into pgflow.workers (queue_name, worker_id, function_name)
values ('website', '11111111-1111-1111-1111-111111111111', 'by_hand')
returning worker_id;
update pgflow.workers
set last_heartbeat_at = clock_timestamp()
where worker_id = '11111111-1111-1111-1111-111111111111'
returning (deprecated_at is not null) as is_deprecated;


\echo
\echo == Fan-out and fan-in

select pgflow.create_flow('website');
select pgflow.add_step('website', 'fetch');
select pgflow.add_step('website', 'summary', array['fetch']);
select pgflow.add_step('website', 'tags', array['fetch']);
select pgflow.add_step('website', 'save', array['summary', 'tags']);
select run_id as run from pgflow.start_flow(flow_slug => 'website', input => '{"url": "u"}') \gset

select pg_temp.expect('steps at the start', pg_temp.steps(:'run'), $$fetch | started | 0 | 1 | 1
summary | created | 1 | 1 | -
tags | created | 1 | 1 | -
save | created | 2 | 1 | -$$);
select pg_temp.expect('run', pg_temp.run(:'run'), 'started | 4');
select pg_temp.expect('tasks', pg_temp.tasks(:'run'), 'fetch[0] | queued | 1 | 0');
select pg_temp.expect('the worker gets', pg_temp.poll('website'), 'fetch[0] | {} | {"url": "u"}');
select pgflow.complete_task(run_id => :'run', step_slug => 'fetch', task_index => 0, output => '{"html": "x"}'::jsonb);
select pg_temp.expect('run', pg_temp.run(:'run'), 'started | 3');
select pg_temp.expect('tasks', pg_temp.tasks(:'run'), $$fetch[0] | completed | 1 | 1
summary[0] | queued | 2 | 0
tags[0] | queued | 3 | 0$$);
select pg_temp.expect('the worker gets', pg_temp.poll('website'), $$summary[0] | {"fetch": {"html": "x"}}
tags[0] | {"fetch": {"html": "x"}}$$);
select pgflow.complete_task(run_id => :'run', step_slug => 'summary', task_index => 0, output => '"s"'::jsonb);
select pgflow.complete_task(run_id => :'run', step_slug => 'tags', task_index => 0, output => '["a"]'::jsonb);
select pg_temp.expect('the worker gets', pg_temp.poll('website'), 'save[0] | {"tags": ["a"], "summary": "s"}');
select pgflow.complete_task(run_id => :'run', step_slug => 'save', task_index => 0, output => '{"ok": true}'::jsonb);
select pg_temp.expect('run', pg_temp.run(:'run'), 'completed | 0 | {"save": {"ok": true}}');
select pg_temp.expect('run as a client reads it', pgflow.get_run_with_states(:'run') #>> '{run,status}', 'completed');


\echo
\echo == Map to map, out of order, with a NULL

select pgflow.ensure_flow_compiled(
  'numbers',
  $${"steps": [
    {"slug": "double", "stepType": "map", "dependencies": [], "whenUnmet": "skip", "whenExhausted": "fail",
      "requiredInputPattern": {"defined": false}, "forbiddenInputPattern": {"defined": false}},
    {"slug": "label", "stepType": "map", "dependencies": ["double"], "whenUnmet": "skip", "whenExhausted": "fail",
      "requiredInputPattern": {"defined": false}, "forbiddenInputPattern": {"defined": false}},
    {"slug": "sum", "stepType": "single", "dependencies": ["double"], "whenUnmet": "skip", "whenExhausted": "fail",
      "requiredInputPattern": {"defined": false}, "forbiddenInputPattern": {"defined": false}}]}$$::jsonb,
  false) ->> 'status' as status \gset
select pg_temp.expect('compiling the flow', :'status', 'compiled');
select gen_random_uuid() as run \gset
select pg_temp.expect(
  'the snapshot that a client gets',
  pgflow.start_flow_with_states('numbers', '[10, null, 30]', :'run') #>> '{run,remaining_steps}',
  '3');

select pg_temp.expect('the worker gets', pg_temp.poll('numbers'), $$double[0] | 10
double[1] | null
double[2] | 30$$);
select pgflow.complete_task(run_id => :'run', step_slug => 'double', task_index => 2, output => '60'::jsonb);
select pgflow.complete_task(run_id => :'run', step_slug => 'double', task_index => 0, output => '20'::jsonb);
select pg_temp.expect('steps after two of three', pg_temp.steps(:'run'), $$double | started | 0 | 3 | 1
label | created | 1 | - | -
sum | created | 1 | 1 | -$$);
select pgflow.complete_task(run_id => :'run', step_slug => 'double', task_index => 1, output => null::jsonb);
select pg_temp.expect('steps', pg_temp.steps(:'run'), $$double | completed | 0 | 3 | 0 | [20, null, 60]
label | started | 0 | 3 | 3
sum | started | 0 | 1 | 1$$);
select pg_temp.expect('tasks', pg_temp.tasks(:'run'), $$double[0] | completed | 1 | 1
double[1] | completed | 2 | 1
double[2] | completed | 3 | 1
label[0] | queued | 4 | 0
label[1] | queued | 5 | 0
label[2] | queued | 6 | 0
sum[0] | queued | 7 | 0$$);
select pg_temp.expect('the worker gets', pg_temp.poll('numbers'), $$label[0] | 20
label[1] | null
label[2] | 60
sum[0] | {"double": [20, null, 60]}$$);
select pg_temp.expect(
  'the output of double[1]', coalesce(t.output::text, 'SQL NULL'), 'SQL NULL')
from pgflow.step_tasks t
where t.run_id = :'run'
  and t.step_slug = 'double'
  and t.task_index = 1;


\echo
\echo == Retry

select pgflow.create_flow('retry', max_attempts => 3, base_delay => 5);
select pgflow.add_step('retry', 'a');
select run_id as run from pgflow.start_flow(flow_slug => 'retry', input => '{}') \gset

select pg_temp.expect('the worker gets', pg_temp.poll('retry'), 'a[0] | {} | {}');
select pgflow.fail_task(run_id => :'run', step_slug => 'a', task_index => 0, error_message => 'e1');
select pg_temp.expect('task after the 1st failure', pg_temp.tasks(:'run'), 'a[0] | queued | 1 | 1 | e1');
select pg_temp.expect('it is started no more', count(*)::text, '1') from pgflow.step_tasks t where t.run_id = :'run' and t.started_at is null;
select pg_temp.expect('its message is hidden for 10 s', (q.vt - clock_timestamp() between interval '0 s' and interval '10 s')::text, 'true')
from pgmq.q_retry q;
select pg_temp.expect('step', pg_temp.steps(:'run'), 'a | started | 0 | 1 | 1');
select pg_temp.expect('run', pg_temp.run(:'run'), 'started | 1');
select from pgmq.set_vt(queue_name => 'retry', msg_id => 1::bigint, vt => 0);

select pg_temp.expect('the worker gets', pg_temp.poll('retry'), 'a[0] | {} | {}');
select pgflow.fail_task(run_id => :'run', step_slug => 'a', task_index => 0, error_message => 'e2');
select pg_temp.expect('task after the 2nd failure', pg_temp.tasks(:'run'), 'a[0] | queued | 1 | 2 | e2');
select pg_temp.expect('its message is hidden for 20 s', (q.vt - clock_timestamp() between interval '10 s' and interval '20 s')::text, 'true')
from pgmq.q_retry q;
select from pgmq.set_vt(queue_name => 'retry', msg_id => 1::bigint, vt => 0);

select pg_temp.expect('the worker gets', pg_temp.poll('retry'), 'a[0] | {} | {}');
select pgflow.fail_task(run_id => :'run', step_slug => 'a', task_index => 0, error_message => 'e3');
select pg_temp.expect('task after the 3rd failure', pg_temp.tasks(:'run'), 'a[0] | failed | 1 | 3 | e3');
select pg_temp.expect('step', pg_temp.steps(:'run'), 'a | failed | 0 | 1 | 1 | e3');
select pg_temp.expect('run', pg_temp.run(:'run'), 'failed | 1');
select pg_temp.expect('messages in queue and archive', (select count(*) from pgmq.q_retry) || ' ' || (select count(*) from pgmq.a_retry), '0 1');

select pgflow.mark_worker_stopped('11111111-1111-1111-1111-111111111111'::uuid);
