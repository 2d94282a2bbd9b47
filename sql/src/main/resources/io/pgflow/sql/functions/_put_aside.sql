-- Looks at messages that were read and hidden but whose tasks could not all be started: those that nobody needs any more are archived, those of running
-- tasks hidden until the attempt is overdue, those of queued tasks visible again at once. The caller holds the messages.
drop function if exists pgflow._put_aside(text, bigint[], uuid[], text[], int[]); -- as it was when messages named their tasks
create or replace function pgflow._put_aside(p_flow_slug text, p_msg_ids bigint[])
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_strays bigint[];
  v_ended bigint[];
  v_open bigint[];
  v_hidden_for int[]; -- beside v_open, in seconds
begin
  select
    array_agg(u.msg_id) filter (where t.status is null),
    array_agg(u.msg_id) filter (where t.status in ('completed', 'failed') or s.status <> 'started' or r.status <> 'started'),
    array_agg(u.msg_id) filter (where w.hidden_for is not null),
    array_agg(w.hidden_for) filter (where w.hidden_for is not null)
  into v_strays, v_ended, v_open, v_hidden_for
  from unnest(p_msg_ids) u (msg_id)
  left join lateral (
    select x.run_id, x.step_slug, x.status, x.started_at
    from pgflow.step_tasks x
    where x.message_id = u.msg_id
      and x.flow_slug = p_flow_slug -- ids are unique in their queue only
    offset 0
  ) t on true
  left join lateral (select x.status from pgflow.runs x where x.run_id = t.run_id offset 0) r on true
  left join lateral (
    select x.status from pgflow.step_states x where x.run_id = t.run_id and x.step_slug = t.step_slug offset 0
  ) s on true
  left join lateral pgflow._step_options(p_flow_slug, t.step_slug) o on true
  cross join lateral (
    select case
      when s.status <> 'started' or r.status <> 'started' then null
      when t.status = 'queued' then 0
      when t.status = 'started' and t.started_at < now() -- and not by this very claim
      then least(2147483647, greatest(5, ceil(extract(epoch from t.started_at - clock_timestamp())) + o.timeout + 30))
    end::int as hidden_for
  ) w;

  if v_strays is not null then
    raise warning 'messages % of queue % belong to no task: archived', v_strays, p_flow_slug;
  end if;
  perform pgmq.archive(p_flow_slug, m.msg_ids)
  from (select v_strays || v_ended as msg_ids) m
  where m.msg_ids is not null;
  perform pgflow.set_vt_batch(p_flow_slug, v_open, v_hidden_for);
end
$$;
