-- Whether this is a local Supabase, told by its well-known secret: there, a flow that changed is recompiled without asking.
create or replace function pgflow.is_local()
returns boolean
language sql
stable
parallel safe
set search_path to pg_catalog, pg_temp
as $$
  select coalesce(
    current_setting('app.settings.jwt_secret', true) = 'super-secret-jwt-token-with-at-least-32-characters-long',
    false)
$$;
