-- Compiles a flow where it is missing, and compares it where it is there. A mismatch is an answer, not an error; only on a local Supabase, or
-- where data loss is allowed, the flow is deleted with all its runs and compiled anew.
create or replace function pgflow.ensure_flow_compiled(flow_slug text, shape jsonb, allow_data_loss boolean default false)
returns jsonb
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_differences text[];
begin
  perform pg_catalog.pg_advisory_xact_lock(1, pg_catalog.hashtext(ensure_flow_compiled.flow_slug));
  if not exists (select from pgflow.flows f where f.flow_slug = ensure_flow_compiled.flow_slug) then
    perform pgflow._create_flow_from_shape(ensure_flow_compiled.flow_slug, ensure_flow_compiled.shape);
    return jsonb_build_object('status', 'compiled', 'differences', '[]'::jsonb);
  end if;

  v_differences := pgflow._compare_flow_shapes(
    ensure_flow_compiled.shape, pgflow._get_flow_shape(ensure_flow_compiled.flow_slug));
  if v_differences = '{}' then
    return jsonb_build_object('status', 'verified', 'differences', '[]'::jsonb);
  elsif pgflow.is_local() or ensure_flow_compiled.allow_data_loss then
    perform pgflow.delete_flow_and_data(ensure_flow_compiled.flow_slug);
    perform pgflow._create_flow_from_shape(ensure_flow_compiled.flow_slug, ensure_flow_compiled.shape);
    return jsonb_build_object('status', 'recompiled', 'differences', to_jsonb(v_differences));
  else
    return jsonb_build_object('status', 'mismatch', 'differences', to_jsonb(v_differences));
  end if;
end
$$;
