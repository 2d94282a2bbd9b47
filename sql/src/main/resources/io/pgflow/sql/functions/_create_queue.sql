-- Creates a flow's queue, where there is none of that name, as the owner of schema pgflow, whoever compiles the flow: pgmq gives a queue to who creates
-- it. All who may work get their rights on it. A queue that is there already is not given to anybody: it may be another program's.
create or replace function pgflow._create_queue(p_flow_slug text)
returns void
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_other text;
begin
  if not exists (select from pgflow.flows f where f.flow_slug = p_flow_slug) then
    raise exception 'flow "%" does not exist: a queue is created for a flow only', p_flow_slug;
  end if;
  select q.queue_name into v_other
  from pgmq.list_queues() q
  where lower(q.queue_name) = lower(p_flow_slug)
  order by q.queue_name <> p_flow_slug
  limit 1;
  if v_other <> p_flow_slug then
    raise exception 'Flow slug "%" differs only in case from the existing queue "%"; both would share one table', p_flow_slug, v_other;
  elsif v_other is null then
    perform pgmq.create(p_flow_slug);
    perform pgflow._grant_queue(p_flow_slug, r) from pgflow._grantees('claim_tasks') r;
  end if;
end
$$;
