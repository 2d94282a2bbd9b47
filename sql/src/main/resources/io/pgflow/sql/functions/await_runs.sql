-- Has the end of runs announced: who ends one of them notifies the channel pgflow.run_ended, without a payload. A row per run that is there:
-- its status, and whether that end will be (or was) announced. It waits for nobody: a run that somebody is changing at this
-- moment stays unannounced, and the caller asks again soon. With the owner's rights, so that clients need none on the table.
create or replace function pgflow.await_runs(run_ids uuid[])
returns table (run_id uuid, status text, awaited boolean)
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  -- The row's lock orders this and the end of the run: either the end sees the mark, or the run is not marked here.
  with free as materialized (
    select l.tid
    from (select distinct u.run_id from unnest(await_runs.run_ids) u (run_id)) g
    cross join lateral (
      select x.run_id, x.status, x.awaited from pgflow.runs x where x.run_id = g.run_id offset 0
    ) r
    cross join lateral (
      select x.ctid as tid, x.status from pgflow.runs x where x.run_id = r.run_id for no key update skip locked
    ) l
    where r.status = 'started'
      and not r.awaited
      and l.status = 'started'
  )
  update pgflow.runs r
  set awaited = true
  from free f
  where r.ctid = f.tid;

  -- a statement of its own: it sees what others committed since
  return query
  select r.run_id, r.status, r.awaited
  from (select distinct u.run_id from unnest(await_runs.run_ids) u (run_id)) g
  cross join lateral (
    select x.run_id, x.status, x.awaited from pgflow.runs x where x.run_id = g.run_id offset 0
  ) r;
end
$$;
