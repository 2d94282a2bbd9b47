-- Moves messages from their queues to the archives; NULL ids and unknown ones are passed over. The two arrays go together.
create or replace function pgflow._archive_messages(p_flow_slugs text[], p_msg_ids bigint[])
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_queue record;
begin
  if p_flow_slugs[1] = all (p_flow_slugs) then
    perform pgmq.archive(p_flow_slugs[1], p_msg_ids);
    return;
  end if;
  for v_queue in
    select g.flow_slug, array_agg(g.msg_id order by g.msg_id) as msg_ids
    from unnest(p_flow_slugs, p_msg_ids) g (flow_slug, msg_id)
    where g.msg_id is not null
    group by g.flow_slug
    order by g.flow_slug
  loop
    perform pgmq.archive(v_queue.flow_slug, v_queue.msg_ids);
  end loop;
end
$$;
