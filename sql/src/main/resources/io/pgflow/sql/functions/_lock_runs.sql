-- Locks the runs, in the order of their ids, until the transaction ends, and returns the flows they belong to. Every function that changes a run
-- begins so. A statement of its own: the ones that follow then see what others committed while this one waited.
create or replace function pgflow._lock_runs(p_run_ids uuid[])
returns text[]
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  return (
    select array_agg(distinct l.flow_slug)
    from (
      select r.flow_slug
      from pgflow.runs r
      where r.run_id = any (p_run_ids)
      order by r.run_id
      for no key update -- not "for update", which would hold up those who insert rows that refer to the run
    ) l
  );
end
$$;
