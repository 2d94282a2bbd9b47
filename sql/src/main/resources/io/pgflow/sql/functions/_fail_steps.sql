-- Fails steps, and with each its run: nothing of the run starts any more, and the messages of its open tasks are archived. Where somebody waits
-- for one of the runs, its end is announced. The three arrays go together, one step a run. The caller holds the runs' locks and passes runs that are started.
create or replace function pgflow._fail_steps(p_run_ids uuid[], p_step_slugs text[], p_errors text[])
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_awaited boolean;
begin
  with failed as (
    update pgflow.runs r
    set status = 'failed',
        failed_at = greatest(now(), r.started_at)
    from unnest(p_run_ids) g (run_id)
    cross join lateral (select x.ctid as tid from pgflow.runs x where x.run_id = g.run_id offset 0) k
    where r.ctid = k.tid
      and r.status = 'started'
    returning r.awaited
  )
  select bool_or(f.awaited) into v_awaited from failed f;

  if v_awaited then
    perform pg_notify('pgflow.run_ended', '');
  end if;

  update pgflow.step_states s
  set status = 'failed',
      failed_at = greatest(now(), s.started_at),
      error_message = g.error
  from unnest(p_run_ids, p_step_slugs, p_errors) g (run_id, step_slug, error)
  cross join lateral (
    select x.ctid as tid from pgflow.step_states x where x.run_id = g.run_id and x.step_slug = g.step_slug offset 0
  ) k
  where s.ctid = k.tid;

  if pgflow._emits() then
    perform pgflow._send_events(p_run_ids, p_step_slugs, null);
    perform pgflow._send_events(p_run_ids, null, p_errors);
  end if;
  perform pgflow._archive_open_messages(p_run_ids, null);
end
$$;
