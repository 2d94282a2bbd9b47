-- Says clearly what is missing, for functions that need something PostgreSQL does not bring: a function or a table by its name.
create or replace function pgflow._require(p_what text, p_object text, p_caller text)
returns void
language plpgsql
stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if to_regclass(p_object) is null and not exists (
    select
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname || '.' || p.proname = p_object
  ) then
    raise exception '% needs %, which this database does not have (looked for %)', p_caller, p_what, p_object
      using errcode = 'feature_not_supported',
            hint = 'PgFlow works without it: workers of its own keep heartbeats and recover tasks by themselves.';
  end if;
end
$$;
