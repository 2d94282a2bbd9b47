-- Appends a step to a flow. A step that is there stays as it is, its dependencies included.
create or replace function pgflow.add_step(
  flow_slug text,
  step_slug text,
  deps_slugs text[] default '{}',
  max_attempts int default null,
  base_delay int default null,
  timeout int default null,
  start_delay int default null,
  step_type text default 'single',
  required_input_pattern jsonb default null,
  forbidden_input_pattern jsonb default null,
  when_unmet text default 'skip',
  when_exhausted text default 'fail'
)
returns pgflow.steps
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_step pgflow.steps;
begin
  if coalesce(add_step.step_type, 'single') = 'map' and cardinality(add_step.deps_slugs) > 1 then
    raise exception 'Map step "%" can have at most one dependency, but % were provided: %',
      add_step.step_slug, cardinality(add_step.deps_slugs), array_to_string(add_step.deps_slugs, ', ');
  end if;
  -- two at once would take the same step_index
  perform pg_catalog.pg_advisory_xact_lock(1, pg_catalog.hashtext(lower(add_step.flow_slug)));

  insert into pgflow.steps as s (
    flow_slug, step_slug, step_type, step_index, deps_count,
    opt_max_attempts, opt_base_delay, opt_timeout, opt_start_delay,
    required_input_pattern, forbidden_input_pattern, when_unmet, when_exhausted
  )
  select
    add_step.flow_slug,
    add_step.step_slug,
    coalesce(add_step.step_type, 'single'),
    (select coalesce(max(x.step_index) + 1, 0) from pgflow.steps x where x.flow_slug = add_step.flow_slug),
    (select count(distinct d) from unnest(add_step.deps_slugs) d),
    add_step.max_attempts,
    add_step.base_delay,
    add_step.timeout,
    add_step.start_delay,
    add_step.required_input_pattern,
    add_step.forbidden_input_pattern,
    add_step.when_unmet,
    add_step.when_exhausted
  on conflict on constraint steps_pkey do nothing
  returning s.* into v_step;

  if not found then
    select s.* into v_step
    from pgflow.steps s
    where s.flow_slug = add_step.flow_slug
      and s.step_slug = add_step.step_slug;
    return v_step;
  end if;

  insert into pgflow.deps (flow_slug, dep_slug, step_slug)
  select distinct add_step.flow_slug, d, add_step.step_slug
  from unnest(add_step.deps_slugs) d;
  return v_step;
end
$$;
