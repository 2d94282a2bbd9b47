-- Archives the messages of the tasks that have not ended: of the given steps, or of whole runs where p_step_slugs is NULL.
create or replace function pgflow._archive_open_messages(p_run_ids uuid[], p_step_slugs text[])
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
begin
  if p_step_slugs is null then
    perform pgflow._archive_messages(array_agg(t.flow_slug), array_agg(t.message_id))
    from unnest(p_run_ids) g (run_id)
    cross join lateral (
      select x.flow_slug, x.message_id, x.status from pgflow.step_tasks x where x.run_id = g.run_id offset 0
    ) t
    where t.status in ('queued', 'started');
  else
    perform pgflow._archive_messages(array_agg(t.flow_slug), array_agg(t.message_id))
    from unnest(p_run_ids, p_step_slugs) g (run_id, step_slug)
    cross join lateral (
      select x.flow_slug, x.message_id, x.status
      from pgflow.step_tasks x
      where x.run_id = g.run_id
        and x.step_slug = g.step_slug
      offset 0
    ) t
    where t.status in ('queued', 'started');
  end if;
end
$$;
