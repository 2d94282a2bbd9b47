-- The part of pgmq that pgflow uses, in the layout of release 1.5: no last_read_at, no notifications.
create schema pgmq;

create table pgmq.meta (
  queue_name varchar not null unique,
  is_partitioned boolean not null,
  is_unlogged boolean not null,
  created_at timestamptz not null default now()
);

create type pgmq.queue_record as (queue_name varchar, is_partitioned boolean, is_unlogged boolean, created_at timestamptz);

create type pgmq.message_record as (
  msg_id bigint, read_ct integer, enqueued_at timestamptz, vt timestamptz, message jsonb, headers jsonb
);

create function pgmq.format_table_name(queue_name text, prefix text) returns text language sql
as $$ select lower(prefix || '_' || queue_name) $$;

create function pgmq.list_queues() returns setof pgmq.queue_record language sql
as $$ select queue_name, is_partitioned, is_unlogged, created_at from pgmq.meta $$;

create function pgmq.create(queue_name text) returns void language plpgsql as $$
begin
  execute format($q$
    create table if not exists pgmq.%1$I (
      msg_id bigint primary key generated always as identity, read_ct int not null default 0, enqueued_at timestamptz not null default now(),
      vt timestamptz not null, message jsonb, headers jsonb);
    create index on pgmq.%1$I (vt);
    create table if not exists pgmq.%2$I (
      msg_id bigint primary key, read_ct int not null default 0, enqueued_at timestamptz not null default now(),
      archived_at timestamptz not null default now(), vt timestamptz not null, message jsonb, headers jsonb);
  $q$, 'q_' || lower(queue_name), 'a_' || lower(queue_name));
  insert into pgmq.meta values ("create".queue_name, false, false) on conflict do nothing;
end
$$;

create function pgmq.drop_queue(queue_name text) returns boolean language plpgsql as $$
begin
  execute format('drop table pgmq.%I, pgmq.%I', 'q_' || lower(queue_name), 'a_' || lower(queue_name));
  delete from pgmq.meta m where m.queue_name = drop_queue.queue_name;
  return true;
end
$$;

create function pgmq.send_batch(queue_name text, msgs jsonb[], delay integer default 0) returns setof bigint language plpgsql as $$
begin
  return query execute format(
    'insert into pgmq.%I (vt, message) select clock_timestamp() + make_interval(secs => $2), m from unnest($1) m returning msg_id',
    'q_' || lower(queue_name))
  using msgs, delay;
end
$$;

create function pgmq.read(queue_name text, vt integer, qty integer) returns setof pgmq.message_record language plpgsql as $$
begin
  return query execute format(
    $q$
      update pgmq.%1$I m
      set vt = clock_timestamp() + make_interval(secs => $1), read_ct = m.read_ct + 1
      from (select msg_id from pgmq.%1$I where vt <= clock_timestamp() order by msg_id limit $2 for update skip locked) r
      where m.msg_id = r.msg_id
      returning m.msg_id, m.read_ct, m.enqueued_at, m.vt, m.message, m.headers
    $q$, 'q_' || lower(queue_name))
  using vt, qty;
end
$$;

create function pgmq.archive(queue_name text, msg_ids bigint[]) returns setof bigint language plpgsql as $$
begin
  return query execute format(
    $q$
      with gone as (delete from pgmq.%I where msg_id = any ($1) returning msg_id, read_ct, enqueued_at, vt, message, headers)
      insert into pgmq.%I (msg_id, read_ct, enqueued_at, vt, message, headers) select * from gone returning msg_id
    $q$, 'q_' || lower(queue_name), 'a_' || lower(queue_name))
  using msg_ids;
end
$$;

create function pgmq.archive(queue_name text, msg_id bigint) returns boolean language sql
as $$ select exists (select from pgmq.archive(queue_name, array[msg_id])) $$;

create function pgmq.delete(queue_name text, msg_ids bigint[]) returns setof bigint language plpgsql as $$
begin
  return query execute format('delete from pgmq.%I where msg_id = any ($1) returning msg_id', 'q_' || lower(queue_name)) using msg_ids;
end
$$;
