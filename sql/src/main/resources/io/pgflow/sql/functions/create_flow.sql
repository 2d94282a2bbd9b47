-- Writes the flow, where it is missing, and creates its queue. A flow that is there keeps its options.
create or replace function pgflow.create_flow(
  flow_slug text,
  max_attempts int default null,
  base_delay int default null,
  timeout int default null
)
returns pgflow.flows
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_flow pgflow.flows;
begin
  -- a slug that is no slug at all is refused by the table's own constraint
  if pgflow.is_valid_slug(create_flow.flow_slug) and length(create_flow.flow_slug) > 47 then
    raise exception 'Flow slug "%" is too long: % characters; its queue allows 47', create_flow.flow_slug, length(create_flow.flow_slug);
  end if;
  perform pg_catalog.pg_advisory_xact_lock(1, pg_catalog.hashtext(lower(create_flow.flow_slug)));
  if exists (select from pgflow.flows f where lower(f.flow_slug) = lower(create_flow.flow_slug) and f.flow_slug <> create_flow.flow_slug) then
    raise exception 'Flow slug "%" differs only in case from an existing flow; both would share one queue table', create_flow.flow_slug;
  end if;

  insert into pgflow.flows as f (flow_slug, opt_max_attempts, opt_base_delay, opt_timeout)
  values (
    create_flow.flow_slug,
    coalesce(create_flow.max_attempts, 3),
    coalesce(create_flow.base_delay, 5),
    coalesce(create_flow.timeout, 60)
  )
  on conflict on constraint flows_pkey do nothing;

  perform pgflow._create_queue(create_flow.flow_slug);

  select f.* into v_flow from pgflow.flows f where f.flow_slug = create_flow.flow_slug;
  return v_flow;
end
$$;
