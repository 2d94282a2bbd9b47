-- Who works, and which programs are to be kept alive.

create table pgflow.workers (
  worker_id uuid not null,
  queue_name text not null,
  function_name text not null,
  started_at timestamptz not null default now(),
  deprecated_at timestamptz,
  stopped_at timestamptz,
  last_heartbeat_at timestamptz not null default now(),
  heartbeat_interval interval,
  constraint workers_pkey primary key (worker_id),
  constraint heartbeat_interval_is_positive check (heartbeat_interval > interval '0')
);

comment on column pgflow.workers.heartbeat_interval is
  'How often this worker promised to beat. Only workers that promised are judged by their heartbeat; NULL: never.';

create index idx_workers_queue_name on pgflow.workers (queue_name);
create index idx_workers_heartbeat on pgflow.workers (last_heartbeat_at);

create table pgflow.worker_functions (
  function_name text not null,
  enabled boolean not null default true,
  debounce interval not null default interval '6 seconds',
  last_invoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint worker_functions_pkey primary key (function_name),
  constraint worker_functions_debounce_check check (debounce >= interval '1 second')
);
