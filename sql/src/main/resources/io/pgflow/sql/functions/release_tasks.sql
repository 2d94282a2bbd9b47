-- Hands started tasks back without charging the attempt: they are queued again and visible at once. The arrays go together. Returns the
-- number of tasks handed back; those whose claim is not current are left alone, and those that requeue_stalled_tasks gave up: their
-- messages are gone.
create or replace function pgflow.release_tasks(run_ids uuid[], step_slugs text[], task_indexes int[], claim_nos int[])
returns int
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_lengths int[] := array[
    cardinality(release_tasks.run_ids), cardinality(release_tasks.step_slugs), cardinality(release_tasks.task_indexes),
    cardinality(release_tasks.claim_nos)
  ];
  v_flows text[];
  v_messages bigint[];
begin
  if v_lengths <> array_fill(v_lengths[1], array[4]) then
    raise exception 'run_ids, step_slugs, task_indexes and claim_nos must have one length, not %', v_lengths;
  end if;
  perform pgflow._lock_runs(release_tasks.run_ids);
  with released as (
    update pgflow.step_tasks t
    set status = 'queued',
        attempts_count = greatest(t.attempts_count - 1, 0), -- somebody may have reset it
        started_at = null,
        last_worker_id = null
    from unnest(release_tasks.run_ids, release_tasks.step_slugs, release_tasks.task_indexes, release_tasks.claim_nos)
      u (run_id, step_slug, task_index, claim_no)
    cross join lateral (
      select x.ctid as tid
      from pgflow.step_tasks x
      where x.run_id = u.run_id
        and x.step_slug = u.step_slug
        and x.task_index = u.task_index
      offset 0
    ) k
    where t.ctid = k.tid
      and t.status = 'started'
      and t.claim_no = u.claim_no
      and t.permanently_stalled_at is null
    returning t.flow_slug, t.message_id
  )
  select array_agg(r.flow_slug), array_agg(r.message_id) into v_flows, v_messages from released r;
  perform pgflow._show_messages(v_flows, v_messages);
  return coalesce(cardinality(v_flows), 0);
end
$$;
