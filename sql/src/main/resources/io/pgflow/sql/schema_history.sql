-- The schema, and what has been applied to it. Made by `Schema` before anything else; a schema pgflow without this table is somebody else's.
create schema pgflow;

revoke all on schema pgflow from public;

create table pgflow.schema_history (
  file text not null,
  checksum text not null, -- SHA-256 of the file, in hexadecimal
  release text not null, -- the newest release that had the file so
  installed_at timestamptz not null default now(),
  constraint schema_history_pkey primary key (file)
);
