-- So many random UUIDs that begin with the time (version 7): new runs then lie side by side in the indexes.
create or replace function pgflow._new_run_ids(p_count int)
returns uuid[]
language plpgsql
volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  return array(
    select encode(
      set_bit(set_bit(
        overlay(
          uuid_send(gen_random_uuid())
          placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
          from 1 for 6
        ),
        52, 1), 53, 1),
      'hex')::uuid
    from generate_series(1, p_count)
  );
end
$$;
