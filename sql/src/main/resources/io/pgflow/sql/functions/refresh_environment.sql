-- Looks again for what this database may have besides PostgreSQL: realtime.send(jsonb, text, text, boolean), which is given the events. The
-- installation does so; call it when schema realtime has come or gone. For the owner of schema pgflow. Returns whether events are sent.
create or replace function pgflow.refresh_environment()
returns boolean
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_emits boolean := exists (
    select
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'realtime'
      and p.proname = 'send'
      and p.prokind = 'f'
      and oidvectortypes(p.proargtypes) = 'jsonb, text, text, boolean'
  );
begin
  if pgflow._emits() <> v_emits then
    execute replace(
      pg_get_functiondef('pgflow._emits()'::regprocedure), 'select ' || not v_emits, 'select ' || v_emits);
  end if;
  return v_emits;
end
$$;
