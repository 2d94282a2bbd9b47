-- Where the server has no LZ4, documents of more than 2 kB are stored as they are: its own method took more of a start with a large input than anything
-- else, 13 ms of a core for each MB.
do $$
begin
  if not exists (select from pg_settings s where s.name = 'default_toast_compression' and 'lz4' = any (s.enumvals)) then
    alter table pgflow.runs alter input set storage external, alter output set storage external;
    alter table pgflow.step_states alter output set storage external;
    alter table pgflow.step_tasks alter input set storage external, alter output set storage external;
  end if;
end
$$;
