-- Completes the runs that have no step left, with the outputs of their completed leaf steps. The caller holds the runs' locks.
create or replace function pgflow._complete_runs(p_run_ids uuid[])
returns void
language plpgsql
set search_path to ''
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
begin
  update pgflow.runs r
  set status = 'completed',
      completed_at = now(),
      output = pgflow._run_output(r.flow_slug, r.run_id)
  from unnest(p_run_ids) g (run_id)
  cross join lateral (select x.ctid as tid from pgflow.runs x where x.run_id = g.run_id offset 0) k
  where r.ctid = k.tid
    and r.status = 'started'
    and r.remaining_steps = 0;
end
$$;
