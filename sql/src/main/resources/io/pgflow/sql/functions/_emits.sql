-- Whether events are sent. refresh_environment replaces this function when realtime.send came or went. It is immutable, so that the planner puts
-- the answer in its place and nothing is called where nobody listens; that it was replaced makes every session plan anew.
create or replace function pgflow._emits()
returns boolean
language sql
immutable
set search_path to pg_catalog, pg_temp
as $$
  select false
$$;
