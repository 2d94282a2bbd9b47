-- LZ4 takes next to no time; PostgreSQL's own method takes as long as all else that storing a document of some kB takes, for a fifth less space.
do $$
begin
  alter table pgflow.runs alter input set compression lz4, alter output set compression lz4;
  alter table pgflow.step_states alter output set compression lz4;
  alter table pgflow.step_tasks alter input set compression lz4, alter output set compression lz4;
exception when feature_not_supported then
  null; -- a server that was built without it
end
$$;
