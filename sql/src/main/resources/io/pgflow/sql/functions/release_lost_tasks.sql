-- Hands back, without charging the attempt, the tasks of a flow that the worker has claimed, or was given beside results, and knows nothing of: the
-- answer was lost. The arrays go together: the tasks that it does know, by their claims. Waits for calls of the worker that are still under
-- way at the server and may give it tasks. Returns the number of tasks handed back.
create or replace function pgflow.release_lost_tasks(
  flow_slug text, worker_id uuid, run_ids uuid[], step_slugs text[], task_indexes int[], claim_nos int[]
)
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
    cardinality(release_lost_tasks.run_ids), cardinality(release_lost_tasks.step_slugs), cardinality(release_lost_tasks.task_indexes),
    cardinality(release_lost_tasks.claim_nos)
  ];
  v_runs uuid[];
  v_steps text[];
  v_indexes int[];
  v_claims int[];
begin
  if release_lost_tasks.flow_slug is null then
    raise exception 'release_lost_tasks needs a flow' using errcode = 'invalid_parameter_value';
  end if;
  if v_lengths <> array_fill(v_lengths[1], array[4]) then
    raise exception 'run_ids, step_slugs, task_indexes and claim_nos must have one length, not %', v_lengths;
  end if;
  perform pg_advisory_xact_lock(hashtext('pgflow.claim_tasks'), hashtext(release_lost_tasks.worker_id::text));
  -- a queue holds open tasks only, and those that were ever claimed have been read; each is looked up by its message
  execute format(
    $q$
      select array_agg(t.run_id), array_agg(t.step_slug), array_agg(t.task_index), array_agg(t.claim_no)
      from pgmq.%I q
      cross join lateral (
        select x.* from pgflow.step_tasks x where x.message_id = q.msg_id and x.flow_slug = $1 offset 0
      ) t
      where q.read_ct > 0
        and t.status = 'started'
        and t.last_worker_id = $2
        and not exists (
          select
          from unnest($3, $4, $5, $6) k (run_id, step_slug, task_index, claim_no)
          where k.run_id = t.run_id
            and k.step_slug = t.step_slug
            and k.task_index = t.task_index
            and k.claim_no = t.claim_no
        )
    $q$, pgmq.format_table_name(release_lost_tasks.flow_slug, 'q'))
  into v_runs, v_steps, v_indexes, v_claims
  using
    release_lost_tasks.flow_slug, release_lost_tasks.worker_id,
    release_lost_tasks.run_ids, release_lost_tasks.step_slugs, release_lost_tasks.task_indexes, release_lost_tasks.claim_nos;
  return pgflow.release_tasks(v_runs, v_steps, v_indexes, v_claims);
end
$$;
