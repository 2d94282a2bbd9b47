-- Starts a run of the flow for each input and returns their ids in the same order, with what became of each. A run id that is
-- there already is an error here unless p_reuse, which takes it for that run if it is one of the same flow.
create or replace function pgflow._start_runs(p_flow_slug text, p_inputs jsonb[], p_run_ids uuid[], p_reuse boolean)
returns table (run_id uuid, is_new boolean)
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  -- inputs are taken by their index where they are few and large: unnest would copy each
  v_steps int;         -- of the flow
  v_root_map boolean;  -- does one of its roots fan out over the input?
  v_settle boolean;    -- may a root be skipped or failed by its condition, or is there none?
  v_reuse boolean := p_reuse and p_run_ids is not null;
  v_given uuid[];
  v_ids uuid[];
  v_sizes int[];       -- beside v_ids: elements of the input, where there is a root map
  v_new int[];         -- beside v_ids: which of the given runs that is
  v_empty uuid[];      -- runs with an empty root map
  v_other record;
  v_root record;
begin
  select
    count(*),
    coalesce(bool_or(s.deps_count = 0 and s.step_type = 'map'), false),
    coalesce(bool_or(s.deps_count = 0 and num_nonnulls(s.required_input_pattern, s.forbidden_input_pattern) > 0), true)
  into v_steps, v_root_map, v_settle
  from pgflow.steps s
  where s.flow_slug = p_flow_slug;

  if v_root_map then
    select p_inputs[i] is null as missing, jsonb_typeof(p_inputs[i]) as kind into v_other
    from generate_subscripts(p_inputs, 1) i
    where jsonb_typeof(p_inputs[i]) is distinct from 'array'
    limit 1;
    if found and v_other.missing then
      raise exception 'Flow % has root map steps but input is NULL', p_flow_slug;
    elsif found then
      raise exception 'Flow % has root map steps but input is not an array (got %)', p_flow_slug, v_other.kind;
    end if;
  end if;

  if p_run_ids is null then
    v_given := pgflow._new_run_ids(cardinality(p_inputs));
  else
    select array_agg(coalesce(g.given, g.fresh) order by g.n) into v_given
    from unnest(p_run_ids, pgflow._new_run_ids(cardinality(p_inputs))) with ordinality g (given, fresh, n)
    where g.n <= cardinality(p_inputs);
  end if;

  if v_reuse then
    with inserted as (
      insert into pgflow.runs as r (run_id, flow_slug, input, remaining_steps)
      select g.run_id, p_flow_slug, g.input, v_steps
      from unnest(v_given, p_inputs) with ordinality g (run_id, input, n)
      order by g.run_id, g.n -- two callers who name the same runs wait for each other in one order
      on conflict on constraint runs_pkey do nothing
      returning r.run_id, case when v_root_map then jsonb_array_length(r.input) end as size
    )
    select array_agg(i.run_id order by g.n), array_agg(i.size order by g.n), array_agg(g.n order by g.n)
    into v_ids, v_sizes, v_new
    from inserted i
    join (
      select u.run_id, min(u.n) as n from unnest(v_given) with ordinality u (run_id, n) group by u.run_id
    ) g on g.run_id = i.run_id;

    if cardinality(v_ids) is distinct from cardinality(v_given) then
      select r.run_id, r.flow_slug into v_other
      from unnest(v_given) g (run_id)
      cross join lateral (select x.run_id, x.flow_slug from pgflow.runs x where x.run_id = g.run_id offset 0) r
      where r.flow_slug <> p_flow_slug
      limit 1;
      if found then
        raise exception 'Run % belongs to flow %, not to %', v_other.run_id, v_other.flow_slug, p_flow_slug
          using errcode = 'unique_violation', hint = 'Choose another run id.';
      end if;
    end if;
  else
    insert into pgflow.runs (run_id, flow_slug, input, remaining_steps)
    select v_given[g.n], p_flow_slug, p_inputs[g.i], v_steps
    from generate_subscripts(p_inputs, 1) with ordinality g (i, n);
    v_ids := v_given;
    if v_root_map then
      v_sizes := array(select jsonb_array_length(p_inputs[i]) from generate_subscripts(p_inputs, 1) i order by i);
    end if;
  end if;

  if pgflow._emits() then
    perform pgflow._send_events(v_ids, null, null);
  end if;

  -- a root starts at once, unless something in its run must be looked at first: a condition, or an empty map
  insert into pgflow.step_states (
    flow_slug, run_id, step_slug, remaining_deps, initial_tasks, status, remaining_tasks, started_at
  )
  select
    p_flow_slug, n.run_id, s.step_slug, s.deps_count, n.tasks,
    case when n.starts then 'started' else 'created' end,
    case when n.starts then n.tasks end,
    case when n.starts then now() end
  from unnest(v_ids, v_sizes) g (run_id, size)
  cross join pgflow.steps s
  cross join lateral (
    select
      g.run_id,
      case when s.step_type = 'single' then 1 when s.deps_count = 0 then g.size end as tasks,
      s.deps_count = 0 and not v_settle and g.size is distinct from 0 as starts
  ) n
  where s.flow_slug = p_flow_slug;

  if v_settle then
    perform pgflow._settle_runs(coalesce(v_ids, '{}'));
  else
    if 0 = any (v_sizes) then
      v_empty := array(select g.run_id from unnest(v_ids, v_sizes) g (run_id, size) where g.size = 0);
      select array_agg(g.run_id order by g.n), array_agg(g.size order by g.n) into v_ids, v_sizes
      from unnest(v_ids, v_sizes) with ordinality g (run_id, size, n)
      where g.size > 0;
    end if;
    for v_root in -- none if no run is new
      select s.step_slug, s.step_type, coalesce(s.opt_start_delay, 0) as delay
      from pgflow.steps s
      where s.flow_slug = p_flow_slug
        and s.deps_count = 0
        and cardinality(v_ids) > 0
      order by s.step_slug collate "C"
    loop
      perform pgflow._enqueue_step(p_flow_slug, v_root.step_slug, v_root.step_type, v_root.delay, v_ids, v_sizes);
    end loop;
    if v_empty is not null then
      perform pgflow._settle_runs(v_empty);
    end if;
  end if;

  if v_reuse then
    return query
    select g.run_id, i.n is not null
    from unnest(v_given) with ordinality g (run_id, n)
    left join unnest(v_new) i (n) on i.n = g.n
    order by g.n;
  else
    return query
    select g.run_id, true from unnest(v_given) g (run_id);
  end if;
end
$$;
