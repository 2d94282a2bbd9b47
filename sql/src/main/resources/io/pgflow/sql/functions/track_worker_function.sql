-- Enters a program that is to be kept alive, or notes that it was seen again.
create or replace function pgflow.track_worker_function(function_name text)
returns void
language sql
set search_path to pg_catalog, pg_temp
as $$
  insert into pgflow.worker_functions as w (function_name, updated_at)
  values (track_worker_function.function_name, clock_timestamp())
  on conflict on constraint worker_functions_pkey do update
  set updated_at = clock_timestamp()
$$;
