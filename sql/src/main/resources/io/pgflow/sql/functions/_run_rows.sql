-- Where the rows of the runs are, beside their ids. Good for as long as the caller, who holds the runs' locks, does not update them.
create or replace function pgflow._run_rows(p_run_ids uuid[])
returns tid[]
language plpgsql
stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  return array(
    select r.tid
    from unnest(p_run_ids) with ordinality u (run_id, n)
    cross join lateral (select x.ctid as tid from pgflow.runs x where x.run_id = u.run_id offset 0) r
    order by u.n
  );
end
$$;
