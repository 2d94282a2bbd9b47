-- The dependencies of a step of a shape, sorted and joined.
create or replace function pgflow._dependencies_text(p_step jsonb)
returns text
language sql
immutable
set search_path to pg_catalog, pg_temp
as $$
  select coalesce(string_agg(d, ', ' order by d collate "C"), '')
  from jsonb_array_elements_text(p_step -> 'dependencies') d
$$;
