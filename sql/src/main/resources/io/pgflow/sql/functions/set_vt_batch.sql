-- Sets when messages of a queue become visible: so many seconds from now, one number for each message. Unknown ids are passed over.
create or replace function pgflow.set_vt_batch(queue_name text, msg_ids bigint[], vt_offsets int[])
returns table (msg_id bigint, read_ct int, enqueued_at timestamptz, vt timestamptz, message jsonb, headers jsonb)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  if set_vt_batch.msg_ids is null or set_vt_batch.vt_offsets is null then
    return;
  end if;
  if set_vt_batch.queue_name is null then
    raise exception 'set_vt_batch needs a queue' using errcode = 'invalid_parameter_value';
  end if;
  if cardinality(set_vt_batch.msg_ids) <> cardinality(set_vt_batch.vt_offsets) then
    raise exception 'msg_ids length (%) must equal vt_offsets length (%)',
      nullif(cardinality(set_vt_batch.msg_ids), 0), nullif(cardinality(set_vt_batch.vt_offsets), 0);
  end if;
  return query execute format(
    $q$
      update pgmq.%I q
      set vt = clock_timestamp() + make_interval(secs => u.secs)
      from (
        select k.msg_id, g.secs
        from (select x.msg_id, x.secs from unnest($1, $2) x (msg_id, secs) order by x.msg_id) g
        -- by its id: the row version that is locked after a wait is one that this statement cannot see
        cross join lateral (select y.msg_id from pgmq.%1$I y where y.msg_id = g.msg_id for update) k
      ) u
      where q.msg_id = u.msg_id
      returning q.msg_id, q.read_ct, q.enqueued_at, q.vt, q.message, q.headers
    $q$,
    pgmq.format_table_name(set_vt_batch.queue_name, 'q'))
  using set_vt_batch.msg_ids, set_vt_batch.vt_offsets;
end
$$;
