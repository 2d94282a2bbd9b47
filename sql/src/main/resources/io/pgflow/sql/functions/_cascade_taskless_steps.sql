-- Completes steps without tasks, wave by wave; before each wave, conditions are resolved, since the last one may have made steps ready that have
-- one. The caller holds the runs' locks. Returns the number of steps completed.
create or replace function pgflow._cascade_taskless_steps(p_run_ids uuid[])
returns int
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_waves int := 0;
  v_completed int;
  v_total int := 0;
begin
  loop
    perform pgflow._resolve_conditions(p_run_ids);
    v_completed := pgflow._complete_taskless_steps(p_run_ids);
    v_total := v_total + v_completed;
    exit when v_completed = 0;
    v_waves := v_waves + 1;
    -- the contract counts the last, empty wave too
    if v_waves >= 50 then
      raise exception 'Cascade loop exceeded safety limit of 50 iterations';
    end if;
  end loop;
  return v_total;
end
$$;
