-- Looks at the conditions of all ready steps of the runs, again after each skip, until those that are left are met. An unmet one fails its
-- run, or skips its step with or without everything downstream. The caller holds the runs' locks.
create or replace function pgflow._resolve_conditions(p_run_ids uuid[])
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set plan_cache_mode to force_generic_plan
as $$
declare
  v_fail_runs uuid[];
  v_fail_steps text[];
  v_skip_runs uuid[];
  v_skip_steps text[];
  v_cascade_runs uuid[];
  v_cascade_steps text[];
begin
  loop
    with conditional as materialized (
      select
        r.run_id, s.step_slug, d.step_index, d.when_unmet, d.required_input_pattern, d.forbidden_input_pattern,
        case
          when d.deps_count = 0 then r.input
          else pgflow._dependency_outputs(r.flow_slug, r.run_id, s.step_slug)
        end as subject
      from unnest(p_run_ids) g (run_id)
      cross join lateral (select x.* from pgflow.runs x where x.run_id = g.run_id offset 0) r
      cross join lateral (
        select x.step_slug, x.status, x.remaining_deps from pgflow.step_states x where x.run_id = g.run_id offset 0
      ) s
      join pgflow.steps d on d.flow_slug = r.flow_slug and d.step_slug = s.step_slug
      where r.status = 'started'
        and s.status = 'created'
        and s.remaining_deps = 0
        and num_nonnulls(d.required_input_pattern, d.forbidden_input_pattern) > 0
    ),
    unmet as materialized (
      select
        c.*,
        -- one failing step ends its run, and nothing else of the run is looked at
        case when bool_or(c.when_unmet = 'fail') over w then 'fail' else c.when_unmet end as outcome,
        c.when_unmet = 'fail' and c.step_index = min(c.step_index) filter (where c.when_unmet = 'fail') over w as fails
      from conditional c
      where not (
        (c.required_input_pattern is null or c.subject @> c.required_input_pattern)
        and (c.forbidden_input_pattern is null or not c.subject @> c.forbidden_input_pattern)
      )
      window w as (partition by c.run_id)
    )
    select
      array_agg(u.run_id order by u.run_id) filter (where u.fails),
      array_agg(u.step_slug order by u.run_id) filter (where u.fails),
      array_agg(u.run_id order by u.run_id, u.step_index) filter (where u.outcome = 'skip'),
      array_agg(u.step_slug order by u.run_id, u.step_index) filter (where u.outcome = 'skip'),
      array_agg(u.run_id order by u.run_id, u.step_index) filter (where u.outcome = 'skip-cascade'),
      array_agg(u.step_slug order by u.run_id, u.step_index) filter (where u.outcome = 'skip-cascade')
    into v_fail_runs, v_fail_steps, v_skip_runs, v_skip_steps, v_cascade_runs, v_cascade_steps
    from unmet u;

    if v_fail_runs is not null then
      perform pgflow._fail_steps(v_fail_runs, v_fail_steps, array_fill('Condition not met'::text, array[cardinality(v_fail_runs)]));
    end if;
    if v_skip_runs is not null then
      perform pgflow._skip_steps(v_skip_runs, v_skip_steps, 'condition_unmet', null, false);
    end if;
    if v_cascade_runs is not null then
      perform pgflow._skip_steps(v_cascade_runs, v_cascade_steps, 'condition_unmet', null, true);
    end if;
    -- only a plain skip can make another condition ready
    exit when v_skip_runs is null;
  end loop;
end
$$;
