-- Lets a role execute these functions of schema pgflow.
create or replace function pgflow._grant_functions(p_names name[], p_role name)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  execute format(
    'grant execute on function %s to %I',
    (
      select string_agg(p.oid::regprocedure::text, ', ')
      from pg_catalog.pg_proc p
      where p.pronamespace = to_regnamespace('pgflow')
        and p.proname = any (p_names)
    ),
    p_role);
end
$$;
