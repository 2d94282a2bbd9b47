-- The last act of an installation or upgrade: functions are made for everybody to execute; these are for the owner, and for the roles that were
-- granted the schema, which get their part of what is new.
create or replace function pgflow._refresh_privileges()
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  revoke all on all functions in schema pgflow from public;
  perform pgflow.grant_client(r) from pgflow._grantees('start_flows') r;
  perform pgflow.grant_worker(r) from pgflow._grantees('claim_tasks') r;
end
$$;
