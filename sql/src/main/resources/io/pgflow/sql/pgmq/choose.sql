-- Sees to it that there is a pgmq: the extension where the server offers it, else ours. One that is there already is used as it is, and
-- brought up to date only if it is ours. The build puts pgmq.sql where its name stands in braces.
do $choose$
begin
  if to_regnamespace('pgmq') is null and exists (select from pg_available_extensions where name = 'pgmq') then
    create extension pgmq;
  elsif to_regnamespace('pgmq') is null or obj_description(to_regnamespace('pgmq'), 'pg_namespace') like 'PgFlow SQL-only pgmq %' then
    execute $pgmq_sql$
{pgmq.sql}
$pgmq_sql$;
  end if;

  if not exists (select from pg_attribute where attrelid = to_regclass('pgmq.message_record') and attname = 'headers' and not attisdropped) then
    raise exception 'the pgmq in this database is older than 1.5.0: its message_record has no headers'
      using hint = 'Update it (the extension with: alter extension pgmq update), then install PgFlow again.';
  end if;
end
$choose$;
