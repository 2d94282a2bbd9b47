-- Milliseconds until the next message of the flow's queue is visible: 0 where one is that nobody holds, NULL where there is none. Nothing
-- announces that moment.
create or replace function pgflow.next_message_delay(flow_slug text)
returns bigint
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_next timestamptz;
begin
  if next_message_delay.flow_slug is null then
    raise exception 'next_message_delay needs a flow' using errcode = 'invalid_parameter_value';
  end if;
  execute format(
    'select q.vt from pgmq.%I q where q.vt <= $1 order by q.vt limit 1 for no key update skip locked',
    pgmq.format_table_name(next_message_delay.flow_slug, 'q'))
  into v_next
  using v_now;
  if v_next is not null then
    return 0;
  end if;
  execute format('select min(q.vt) from pgmq.%I q where q.vt > $1', pgmq.format_table_name(next_message_delay.flow_slug, 'q'))
  into v_next
  using v_now;
  return ceil(extract(epoch from v_next - v_now) * 1000);
end
$$;
