-- Pings the programs that are to be kept alive and have no live worker: a POST to their address, by pg_net. A row per ping. Locally all
-- are pinged; elsewhere those that were not pinged within their debounce, with a key from the vault. Without an address or key nothing is done.
create or replace function pgflow.ensure_workers()
returns table (function_name text, invoked boolean, request_id bigint)
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_local boolean := pgflow.is_local();
  v_url text := 'http://kong:8000/functions/v1';
  v_key text;
  v_headers jsonb := '{}';
begin
  perform pgflow._require('pg_net', 'net.http_post', 'ensure_workers');
  if not v_local then
    perform pgflow._require('the vault', 'vault.decrypted_secrets', 'ensure_workers');
    execute
      $q$
        select
          'https://' || max(s.decrypted_secret) filter (where s.name = 'supabase_project_id') || '.supabase.co/functions/v1',
          coalesce(
            max(s.decrypted_secret) filter (where s.name = 'pgflow_auth_secret'),
            max(s.decrypted_secret) filter (where s.name = 'supabase_service_role_key'))
        from vault.decrypted_secrets s
        where s.decrypted_secret <> ''
      $q$
    into v_url, v_key;
    if v_url is null or v_key is null then
      return;
    end if;
    v_headers := jsonb_build_object('Content-Type', 'application/json', 'Authorization', 'Bearer ' || v_key);
  end if;

  for ensure_workers.function_name in
    update pgflow.worker_functions f
    set last_invoked_at = clock_timestamp()
    where f.enabled
      and (
        v_local
        or (f.last_invoked_at is null or f.last_invoked_at < now() - f.debounce)
          and not exists (
            select
            from pgflow.workers w
            where w.function_name = f.function_name
              and w.stopped_at is null
              and w.deprecated_at is null
              and w.last_heartbeat_at > now() - f.debounce
          )
      )
    returning f.function_name
  loop
    execute 'select net.http_post(url => $1, headers => $2, body => $3)'
    into ensure_workers.request_id
    using v_url || '/' || ensure_workers.function_name, v_headers, '{}'::jsonb;
    ensure_workers.invoked := true;
    return next;
  end loop;
end
$$;
