-- Has the flow's queue announce new messages, at most one announcement each throttle_ms. An interval that somebody set is left. Returns whether
-- the queue announces: pgmq before 1.8 cannot. With the owner's rights: queues are the owner's.
create or replace function pgflow.enable_notifications(flow_slug text, throttle_ms int)
returns boolean
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  if to_regprocedure('pgmq.enable_notify_insert(text, integer)') is null then
    return false;
  end if;
  if not exists (select from pgflow.flows f where f.flow_slug = enable_notifications.flow_slug) then
    raise exception 'flow "%" does not exist', enable_notifications.flow_slug;
  end if;
  -- one at a time: enabling replaces a trigger, and two who do it at once deadlock
  perform pg_catalog.pg_advisory_xact_lock(1, pg_catalog.hashtext(lower(enable_notifications.flow_slug)));
  -- the throttle's row is lost in a crash while the trigger stays, so both are looked for
  if not exists (
    select
    from pgmq.notify_insert_throttle n
    where n.queue_name = enable_notifications.flow_slug
  ) or not exists (
    select
    from pg_catalog.pg_trigger t
    where t.tgrelid = to_regclass(format('pgmq.%I', pgmq.format_table_name(enable_notifications.flow_slug, 'q')))
      and t.tgname = 'trigger_notify_queue_insert_listeners'
  ) then
    perform pgmq.enable_notify_insert(enable_notifications.flow_slug, enable_notifications.throttle_ms);
  end if;
  return true;
end
$$;
