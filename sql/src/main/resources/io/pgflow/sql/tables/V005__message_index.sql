-- Tasks are found by message, and ids are unique in their queue only: with the flow in the index, the number of flows costs nothing.
drop index pgflow.idx_step_tasks_message_id;
create index idx_step_tasks_message_id on pgflow.step_tasks (message_id, flow_slug);
