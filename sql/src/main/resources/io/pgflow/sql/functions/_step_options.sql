-- The options of a step as they are now: its own, else its flow's. Seconds.
create or replace function pgflow._step_options(
  p_flow_slug text, p_step_slug text,
  out max_attempts int, out base_delay int, out timeout int, out when_exhausted text
)
language sql
stable
set search_path to pg_catalog, pg_temp
as $$
  select
    coalesce(s.opt_max_attempts, f.opt_max_attempts),
    coalesce(s.opt_base_delay, f.opt_base_delay),
    coalesce(s.opt_timeout, f.opt_timeout),
    s.when_exhausted
  from pgflow.steps s
  join pgflow.flows f on f.flow_slug = s.flow_slug
  where s.flow_slug = p_flow_slug
    and s.step_slug = p_step_slug
$$;
