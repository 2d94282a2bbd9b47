-- Sends the events of steps or runs that have just changed (arguments as of _events) to realtime.send, in one statement. Callers look at _emits
-- first. A failure is a warning: what is told about a run must not decide what becomes of it. With the owner's rights: workers need none on
-- schema realtime.
create or replace function pgflow._send_events(p_run_ids uuid[], p_step_slugs text[], p_errors text[])
returns void
language plpgsql
security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_event record;
  v_refused int := 0;
  v_first text;
  v_reason text;
begin
  perform realtime.send(e.payload, e.event, e.topic, false)
  from pgflow._events(p_run_ids, p_step_slugs, p_errors) e;
exception when others then
  -- one that is refused must not cost the others theirs: each by itself now
  for v_event in select e.* from pgflow._events(p_run_ids, p_step_slugs, p_errors) e loop
    begin
      perform realtime.send(v_event.payload, v_event.event, v_event.topic, false);
    exception when others then
      v_refused := v_refused + 1;
      v_first := coalesce(v_first, format('%s to %s', v_event.event, v_event.topic));
      v_reason := coalesce(v_reason, sqlerrm);
    end;
  end loop;
  if v_refused > 0 then
    raise warning '% event(s) were not sent, the first was %: %', v_refused, v_first, v_reason;
  end if;
end
$$;
