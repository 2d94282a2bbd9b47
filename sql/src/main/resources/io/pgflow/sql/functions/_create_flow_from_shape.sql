-- Creates a flow and its steps from a shape document, options included.
create or replace function pgflow._create_flow_from_shape(p_flow_slug text, p_shape jsonb)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_step jsonb;
  v_options jsonb := p_shape -> 'options';
begin
  if jsonb_typeof(p_shape) is distinct from 'object' or jsonb_typeof(p_shape -> 'steps') <> 'array' then
    raise exception 'The shape of flow % must be an object with an array of steps, not %', p_flow_slug, p_shape;
  end if;
  perform pgflow.create_flow(
    p_flow_slug,
    (v_options ->> 'maxAttempts')::int,
    (v_options ->> 'baseDelay')::int,
    (v_options ->> 'timeout')::int);
  -- one after the other: a step refers to those before it
  for v_step in
    select s.step
    from jsonb_array_elements(p_shape -> 'steps') with ordinality s (step, n)
    order by s.n
  loop
    v_options := v_step -> 'options';
    perform pgflow.add_step(
      flow_slug => p_flow_slug,
      step_slug => v_step ->> 'slug',
      deps_slugs => array(select jsonb_array_elements_text(v_step -> 'dependencies')),
      max_attempts => (v_options ->> 'maxAttempts')::int,
      base_delay => (v_options ->> 'baseDelay')::int,
      timeout => (v_options ->> 'timeout')::int,
      start_delay => (v_options ->> 'startDelay')::int,
      step_type => v_step ->> 'stepType',
      required_input_pattern => case
        when (v_step #>> '{requiredInputPattern,defined}')::boolean then v_step #> '{requiredInputPattern,value}'
      end,
      forbidden_input_pattern => case
        when (v_step #>> '{forbiddenInputPattern,defined}')::boolean then v_step #> '{forbiddenInputPattern,value}'
      end,
      when_unmet => coalesce(v_step ->> 'whenUnmet', 'skip'),
      when_exhausted => coalesce(v_step ->> 'whenExhausted', 'fail'));
  end loop;
end
$$;
