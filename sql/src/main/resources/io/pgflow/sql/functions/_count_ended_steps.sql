-- Takes steps that were completed or skipped off their runs' counts: a run id for each of them, repeated as often as need be.
create or replace function pgflow._count_ended_steps(p_run_ids uuid[])
returns void
language plpgsql
set search_path to ''
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
begin
  update pgflow.runs r
  set remaining_steps = r.remaining_steps - e.steps
  from (
    select g.steps, k.tid
    from (select u.run_id, count(*)::int as steps from unnest(p_run_ids) u (run_id) group by u.run_id order by u.run_id) g
    cross join lateral (select x.ctid as tid from pgflow.runs x where x.run_id = g.run_id offset 0) k
  ) e
  where r.ctid = e.tid;
end
$$;
