-- Completes the runs that have no step left. The caller holds the runs' locks.
create or replace function pgflow._complete_runs(p_run_ids uuid[])
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  perform pgflow._count_ended_steps(pgflow._run_rows(p_run_ids), array_fill(0, array[cardinality(p_run_ids)]), true);
end
$$;
