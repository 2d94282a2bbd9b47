-- Deletes a flow with its queue, its archive and all its runs, running ones too. An unknown flow is passed over.
create or replace function pgflow.delete_flow_and_data(p_flow_slug text)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  -- those who look for abandoned tasks read a queue before they lock runs: none may be at it
  perform pg_advisory_xact_lock(hashtext('pgflow.recover_tasks'));
  -- then what others lock first: those who start runs and those who report tasks then wait here, or are waited for
  perform from pgflow.flows f where f.flow_slug = p_flow_slug for update;
  perform from pgflow.runs r where r.flow_slug = p_flow_slug order by r.run_id for update;

  if exists (select from pgmq.list_queues() q where q.queue_name = p_flow_slug) then
    perform pgmq.drop_queue(p_flow_slug);
  end if;
  delete from pgflow.step_tasks t where t.flow_slug = p_flow_slug;
  delete from pgflow.step_states s where s.flow_slug = p_flow_slug;
  delete from pgflow.runs r where r.flow_slug = p_flow_slug;
  delete from pgflow.deps d where d.flow_slug = p_flow_slug;
  delete from pgflow.steps s where s.flow_slug = p_flow_slug;
  delete from pgflow.flows f where f.flow_slug = p_flow_slug;
end
$$;
