-- Says in words how two shapes differ, step by step in their order; nothing when they are equal.
create or replace function pgflow._compare_flow_shapes(p_local jsonb, p_db jsonb)
returns text[]
language plpgsql
stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_local jsonb := coalesce(p_local -> 'steps', '[]');
  v_db jsonb := coalesce(p_db -> 'steps', '[]');
  v_differences text[] := '{}';
  v_a jsonb;
  v_b jsonb;
  v_key text;
begin
  if jsonb_array_length(v_local) <> jsonb_array_length(v_db) then
    v_differences := v_differences || format(
      'Step count differs: %s vs %s', jsonb_array_length(v_local), jsonb_array_length(v_db));
  end if;
  for v_i in 0 .. greatest(jsonb_array_length(v_local), jsonb_array_length(v_db)) - 1 loop
    v_a := v_local -> v_i;
    v_b := v_db -> v_i;
    if v_a is null then
      v_differences := v_differences || format(
        'Step at index %s: missing in first shape (second has ''%s'')', v_i, v_b ->> 'slug');
    elsif v_b is null then
      v_differences := v_differences || format(
        'Step at index %s: missing in second shape (first has ''%s'')', v_i, v_a ->> 'slug');
    else
      if v_a ->> 'slug' <> v_b ->> 'slug' then
        v_differences := v_differences || format(
          'Step at index %s: slug differs ''%s'' vs ''%s''', v_i, v_a ->> 'slug', v_b ->> 'slug');
      end if;
      if v_a ->> 'stepType' <> v_b ->> 'stepType' then
        v_differences := v_differences || format(
          'Step at index %s: type differs ''%s'' vs ''%s''', v_i, v_a ->> 'stepType', v_b ->> 'stepType');
      end if;
      if pgflow._dependencies_text(v_a) <> pgflow._dependencies_text(v_b) then
        v_differences := v_differences || format(
          'Step at index %s: dependencies differ [%s] vs [%s]',
          v_i, pgflow._dependencies_text(v_a), pgflow._dependencies_text(v_b));
      end if;
      foreach v_key in array array['whenUnmet', 'whenExhausted'] loop
        if v_a ->> v_key <> v_b ->> v_key then
          v_differences := v_differences || format(
            'Step at index %s: %s differs ''%s'' vs ''%s''', v_i, v_key, v_a ->> v_key, v_b ->> v_key);
        end if;
      end loop;
      foreach v_key in array array['requiredInputPattern', 'forbiddenInputPattern'] loop
        if v_a -> v_key is distinct from v_b -> v_key then
          v_differences := v_differences || format(
            'Step at index %s: %s differs ''%s'' vs ''%s''', v_i, v_key, v_a -> v_key, v_b -> v_key);
        end if;
      end loop;
    end if;
  end loop;
  return v_differences;
end
$$;
