-- Records failures. A task with attempts left is queued again, hidden for its retry delay; otherwise its step's when_exhausted decides. The
-- arrays go together, a report each; a NULL claim number stands for whichever claim is current, permanent (may be NULL) for no further
-- attempt, retry_after (may be NULL) for the seconds until the next one, if there is one, in place of the retry delay. A row per report, in
-- their order:
--   outcome    retrying; failed: for good; late: the claim is not current, nothing was changed
--   retry_at   when a retried task is visible again
--   run_ended  completed or failed, on the last report of a run that this call ended
--   run_error  beside failed, what the step that failed the run has for an error
--   ready      whether a step of the run started in this call
-- Reports of one call count as made at once. But one that fails its run comes first: the run's other tasks then fail too. And of several on
-- one task, or on a step that they skip, the first counts; the others are late.
drop function if exists pgflow.fail_tasks(uuid[], text[], int[], int[], text[], boolean[]); -- as it was before retry_after
drop function if exists pgflow.fail_tasks(uuid[], text[], int[], int[], text[], boolean[], int[]); -- as it was before run_error
create or replace function pgflow.fail_tasks(
  run_ids uuid[], step_slugs text[], task_indexes int[], claim_nos int[], error_messages text[],
  permanent boolean[] default null, retry_after int[] default null
)
returns table (report int, run_id uuid, outcome text, retry_at timestamptz, run_ended text, run_error text, ready boolean)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_lengths int[] := array[
    cardinality(fail_tasks.run_ids), cardinality(fail_tasks.step_slugs), cardinality(fail_tasks.task_indexes),
    cardinality(fail_tasks.claim_nos), cardinality(fail_tasks.error_messages),
    coalesce(cardinality(fail_tasks.permanent), cardinality(fail_tasks.run_ids)),
    coalesce(cardinality(fail_tasks.retry_after), cardinality(fail_tasks.run_ids))
  ];
  v_now timestamptz;
  v_reports int[];        -- reports that changed their task; the next four lie beside it
  v_flows text[];
  v_messages bigint[];
  v_delays int[];         -- seconds until the next attempt; NULL where the task failed
  v_effects text[];       -- what the report does to its step: fail, skip, skip-cascade, or NULL
  v_queue record;
  v_fail int[];
  v_skip int[];
  v_cascade int[];
  v_settled uuid[];
  v_started uuid[];
begin
  if v_lengths <> array_fill(v_lengths[1], array[7]) then
    raise exception 'run_ids, step_slugs, task_indexes, claim_nos, error_messages, permanent and retry_after must have one length, not %',
      v_lengths;
  end if;
  if 0 > any (fail_tasks.retry_after) then
    raise exception 'retry_after must not be negative, got: %', fail_tasks.retry_after
      using errcode = 'invalid_parameter_value';
  end if;
  perform pgflow._lock_runs(fail_tasks.run_ids);
  v_now := clock_timestamp();

  with current as materialized (
    select distinct on (t.tid) -- the first report of each task; the others come too late
      u.n, u.run_id, u.step_slug, u.error, t.tid, r.status = 'failed' as run_failed,
      case
        -- what requeue_stalled_tasks gave up has no message any more to be tried again with
        when r.status = 'started' and (coalesce(u.permanent, false) or t.attempts_count >= o.max_attempts or t.given_up)
        then o.when_exhausted
      end as effect,
      coalesce(u.retry_after, pgflow.calculate_retry_delay(o.base_delay, t.attempts_count)) as delay
    from unnest(
      fail_tasks.run_ids, fail_tasks.step_slugs, fail_tasks.task_indexes, fail_tasks.claim_nos,
      fail_tasks.error_messages, fail_tasks.permanent, fail_tasks.retry_after
    ) with ordinality u (run_id, step_slug, task_index, claim_no, error, permanent, retry_after, n)
    cross join lateral (select x.flow_slug, x.status from pgflow.runs x where x.run_id = u.run_id offset 0) r
    cross join lateral (
      select x.status from pgflow.step_states x where x.run_id = u.run_id and x.step_slug = u.step_slug offset 0
    ) s
    cross join lateral (
      select x.ctid as tid, x.status, x.claim_no, x.attempts_count, x.permanently_stalled_at is not null as given_up
      from pgflow.step_tasks x
      where x.run_id = u.run_id
        and x.step_slug = u.step_slug
        and x.task_index = u.task_index
      offset 0
    ) t
    cross join lateral pgflow._step_options(r.flow_slug, u.step_slug) o
    where t.status = 'started'
      and t.claim_no = coalesce(u.claim_no, t.claim_no)
      and (r.status = 'failed' or (r.status = 'started' and s.status = 'started'))
    order by t.tid, u.n
  ),
  decided as materialized (
    select
      c.*,
      bool_or(c.effect = 'fail') over (partition by c.run_id) as run_fails,
      bool_or(c.effect is not null) over (partition by c.run_id, c.step_slug) as step_ends,
      c.n = min(c.n) filter (where c.effect = 'fail') over (partition by c.run_id) as first_in_run,
      c.n = min(c.n) filter (where c.effect is not null) over (partition by c.run_id, c.step_slug) as first_in_step
    from current c
  ),
  changed as (
    update pgflow.step_tasks t
    set status = case when d.retries then 'queued' else 'failed' end,
        started_at = case when d.retries then null else t.started_at end,
        failed_at = case when d.retries then null else greatest(now(), t.started_at) end,
        error_message = d.error
    from (
      select
        g.n, g.tid, g.error, g.delay,
        not coalesce(g.run_failed or g.run_fails or g.step_ends, false) as retries,
        case when g.run_fails then case when g.first_in_run then 'fail' end when g.first_in_step then g.effect end as effect
      from decided g
      -- the step is skipped by another report of this call, and this one comes too late
      where coalesce(g.run_failed or g.run_fails, false)
         or not coalesce(g.step_ends, false)
         or g.first_in_step
    ) d
    where t.ctid = d.tid
      and t.status = 'started'
    returning d.n, t.flow_slug, t.message_id, case when d.retries then d.delay end as delay, d.effect
  )
  select array_agg(c.n), array_agg(c.flow_slug), array_agg(c.message_id), array_agg(c.delay), array_agg(c.effect)
  into v_reports, v_flows, v_messages, v_delays, v_effects
  from changed c;

  for v_queue in
    select g.flow_slug, array_agg(g.msg_id) as msg_ids, array_agg(g.delay) as delays
    from unnest(v_flows, v_messages, v_delays) g (flow_slug, msg_id, delay)
    where g.delay is not null
      and g.msg_id is not null
    group by g.flow_slug
    order by g.flow_slug
  loop
    perform pgflow.set_vt_batch(v_queue.flow_slug, v_queue.msg_ids, v_queue.delays);
  end loop;

  select
    array_agg(g.n) filter (where g.effect = 'fail'),
    array_agg(g.n) filter (where g.effect = 'skip'),
    array_agg(g.n) filter (where g.effect = 'skip-cascade')
  into v_fail, v_skip, v_cascade
  from unnest(v_reports, v_effects) g (n, effect);
  if v_fail is not null then
    perform pgflow._fail_steps(
      array_agg(fail_tasks.run_ids[i]), array_agg(fail_tasks.step_slugs[i]), array_agg(fail_tasks.error_messages[i]))
    from unnest(v_fail) i;
  end if;
  if v_skip is not null then
    perform pgflow._skip_steps(
      array_agg(fail_tasks.run_ids[i]), array_agg(fail_tasks.step_slugs[i]), 'handler_failed', array_agg(fail_tasks.error_messages[i]), false)
    from unnest(v_skip) i;
  end if;
  if v_cascade is not null then
    perform pgflow._skip_steps(
      array_agg(fail_tasks.run_ids[i]), array_agg(fail_tasks.step_slugs[i]), 'handler_failed', array_agg(fail_tasks.error_messages[i]), true)
    from unnest(v_cascade) i;
  end if;
  v_settled := array(select distinct fail_tasks.run_ids[i] from unnest(v_skip || v_cascade) i);
  if v_settled <> '{}' then
    v_started := pgflow._settle_runs(v_settled);
  end if;

  perform pgflow._archive_messages(array_agg(t.flow_slug), array_agg(t.message_id))
  from unnest(fail_tasks.run_ids, fail_tasks.step_slugs, fail_tasks.task_indexes) u (run_id, step_slug, task_index)
  cross join lateral (select x.status from pgflow.runs x where x.run_id = u.run_id offset 0) r
  cross join lateral (
    select x.status from pgflow.step_states x where x.run_id = u.run_id and x.step_slug = u.step_slug offset 0
  ) s
  cross join lateral (
    select x.flow_slug, x.message_id
    from pgflow.step_tasks x
    where x.run_id = u.run_id
      and x.step_slug = u.step_slug
      and x.task_index = u.task_index
    offset 0
  ) t
  where r.status = 'failed'
     or s.status <> 'started';

  return query
  select
    g.n::int,
    g.run_id,
    case when c.n is null then 'late' when c.delay is null then 'failed' else 'retrying' end,
    v_now + make_interval(secs => c.delay),
    case when g.last then e.status end,
    case when g.last then e.error end,
    coalesce(g.run_id = any (v_started), false)
  from (
    select u.run_id, u.n, u.n = max(u.n) over (partition by u.run_id) as last
    from unnest(fail_tasks.run_ids) with ordinality u (run_id, n)
  ) g
  left join unnest(v_reports, v_delays) c (n, delay) on c.n = g.n
  left join pgflow._ended_runs(v_settled || array(select fail_tasks.run_ids[i] from unnest(v_fail) i)) e on e.run_id = g.run_id
  order by g.n;
end
$$;
