-- Lets a role take messages from a queue, put some in, and look at it.
create or replace function pgflow._grant_queue(p_queue_name text, p_role name)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
  v_queue text := pgmq.format_table_name(p_queue_name, 'q');
begin
  perform pgflow._grant_pgmq_table(v_queue, 'select, insert, update, delete', p_role);
  perform pgflow._grant_pgmq_table(v_queue || '_msg_id_seq', 'select', p_role); -- pgmq.metrics reads it
  perform pgflow._grant_pgmq_table(pgmq.format_table_name(p_queue_name, 'a'), 'select, insert', p_role);
end
$$;
