-- Seconds until the next attempt: base * 2^attempts, at most a day (or the base itself, where that is longer).
create or replace function pgflow.calculate_retry_delay(base_delay numeric, attempts_count int)
returns int
language sql
immutable
parallel safe
set search_path to pg_catalog, pg_temp
as $$
  -- 2^40 seconds are beyond any cap; a larger power of a numeric only costs time
  select case
    when num_nulls(base_delay, attempts_count) = 0 -- least and greatest pass over NULL
    then least(
      floor(base_delay * power(2::numeric, least(attempts_count, 40))),
      greatest(86400, floor(base_delay))
    )::int
  end
$$;
