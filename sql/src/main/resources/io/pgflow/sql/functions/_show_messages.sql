-- Makes messages visible at once and wakes those who listen to their queues. The arrays go together; NULL ids are passed over.
create or replace function pgflow._show_messages(p_flow_slugs text[], p_msg_ids bigint[])
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_queue record;
begin
  for v_queue in
    select g.flow_slug, array_agg(g.msg_id) as msg_ids
    from unnest(p_flow_slugs, p_msg_ids) g (flow_slug, msg_id)
    where g.msg_id is not null
    group by g.flow_slug
    order by g.flow_slug
  loop
    perform pgflow.set_vt_batch(v_queue.flow_slug, v_queue.msg_ids, array_fill(0, array[cardinality(v_queue.msg_ids)]));
    -- changing a message's visibility notifies nobody by itself
    perform pg_notify('pgmq.q_' || v_queue.flow_slug || '.INSERT', '');
  end loop;
end
$$;
