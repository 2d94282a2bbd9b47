-- Lets a role use a table of pgmq, if it is there. Says so where that takes somebody else: a grant by one who may not is a mere warning.
create or replace function pgflow._grant_pgmq_table(p_table text, p_privileges text, p_role name)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_owner oid := (
    select c.relowner
    from pg_catalog.pg_class c
    where c.relnamespace = to_regnamespace('pgmq')
      and c.relname = p_table
  );
  v_grant text := format('grant %s on pgmq.%I to %I', p_privileges, p_table, p_role);
begin
  if pg_has_role(v_owner, 'usage') then
    execute v_grant;
  elsif v_owner is not null and not (
    select bool_and(has_table_privilege(p_role, format('pgmq.%I', p_table), btrim(x))) from string_to_table(p_privileges, ',') x
  ) then
    raise exception 'role "%" can have no rights on table pgmq.% from role "%": the table is of role "%"',
      p_role, p_table, current_user, pg_get_userbyid(v_owner)
      using errcode = 'insufficient_privilege', hint = format('Have its owner run: %s; then grant again.', v_grant);
  end if;
end
$$;
