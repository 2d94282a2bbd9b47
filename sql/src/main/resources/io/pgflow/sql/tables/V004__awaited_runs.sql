-- Runs whose end somebody waits for: only that of those is announced. No index mentions the column, so setting it is a heap-only update.
alter table pgflow.runs add column awaited boolean not null default false;

comment on column pgflow.runs.awaited is
  'Set by await_runs: whoever ends this run notifies the channel pgflow.run_ended.';
