-- Roles that somebody let execute this function of schema pgflow, its owner apart.
create or replace function pgflow._grantees(p_function name)
returns setof name
language sql
stable
set search_path to pg_catalog, pg_temp
as $$
  select distinct r.rolname
  from pg_catalog.pg_proc p
  cross join lateral aclexplode(p.proacl) a
  join pg_catalog.pg_roles r on r.oid = a.grantee
  where p.pronamespace = to_regnamespace('pgflow')
    and p.proname = p_function
    and a.privilege_type = 'EXECUTE'
    and a.grantee <> p.proowner
$$;
