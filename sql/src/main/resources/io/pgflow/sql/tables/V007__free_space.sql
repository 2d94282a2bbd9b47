-- A row is rewritten once (runs, step states) or twice (tasks) and grows as it is: with this much free space the new versions find room beside the old
-- ones, and no index is written to again. With less, a sixth of them did not, and tables and indexes were larger in the end.
alter table pgflow.runs set (fillfactor = 40);
alter table pgflow.step_states set (fillfactor = 40);
alter table pgflow.step_tasks set (fillfactor = 36);
