-- A message queue in plain SQL with the public surface of pgmq 1.11, for servers that do not offer the extension.
-- Left out: partitioned queues, grouped reads, topics. Functions that begin with an underscore are not for callers.
--
-- Safe to execute again. Not safe to change in place: parameter names, result types and table layouts, since clients use
-- named arguments and the tables may one day be moved under the extension. Raise the number in the guard with a change.

do $guard$
declare
    release constant integer := 1;
    mark constant text := 'PgFlow SQL-only pgmq ';
    schema_oid constant oid := (select n.oid from pg_catalog.pg_namespace n where n.nspname = 'pgmq');
    comment constant text := pg_catalog.obj_description(schema_oid, 'pg_namespace');
begin
    if exists (select from pg_catalog.pg_extension e where e.extname = 'pgmq') then
        raise exception 'the extension pgmq is installed in this database: the SQL-only pgmq would overwrite it'
            using errcode = 'duplicate_schema';
    end if;
    if schema_oid is null then
        create schema pgmq;
    elsif comment !~ ('^' || mark || '[0-9]+$') is not false then
        raise exception 'schema pgmq exists and was not made by PgFlow: it is left as it is'
            using errcode = 'duplicate_schema',
                  hint = 'Use the pgmq that is there, or move that schema out of the way.';
    elsif substr(comment, length(mark) + 1)::integer > release then
        raise exception 'schema pgmq carries the mark "%": this is release %, and would overwrite a newer one', comment, release
            using errcode = 'duplicate_schema';
    end if;
    execute format('comment on schema pgmq is %L', mark || release);
end
$guard$;


-- Tables and types

create table if not exists pgmq.meta (
    queue_name varchar not null unique,
    is_partitioned boolean not null,
    is_unlogged boolean not null,
    created_at timestamptz not null default now()
);

create unlogged table if not exists pgmq.notify_insert_throttle (
    queue_name varchar not null unique references pgmq.meta (queue_name) on delete cascade,
    throttle_interval_ms integer not null default 0,
    last_notified_at timestamptz not null default to_timestamp(0)
);

create index if not exists idx_notify_throttle_active
    on pgmq.notify_insert_throttle (queue_name, last_notified_at)
    where throttle_interval_ms > 0;

do $types$
begin
    if to_regtype('pgmq.message_record') is null then
        create type pgmq.message_record as (
            msg_id bigint,
            read_ct integer,
            enqueued_at timestamptz,
            last_read_at timestamptz,
            vt timestamptz,
            message jsonb,
            headers jsonb
        );
    end if;
    if to_regtype('pgmq.queue_record') is null then
        create type pgmq.queue_record as (
            queue_name varchar,
            is_partitioned boolean,
            is_unlogged boolean,
            created_at timestamptz
        );
    end if;
    if to_regtype('pgmq.metrics_result') is null then
        create type pgmq.metrics_result as (
            queue_name text,
            queue_length bigint,
            newest_msg_age_sec integer,
            oldest_msg_age_sec integer,
            total_messages bigint,
            scrape_time timestamptz,
            queue_visible_length bigint
        );
    end if;
end
$types$;

grant usage on schema pgmq to pg_monitor;
grant select on all tables in schema pgmq to pg_monitor;
grant select on all sequences in schema pgmq to pg_monitor;
alter default privileges in schema pgmq grant select on tables to pg_monitor;
alter default privileges in schema pgmq grant select on sequences to pg_monitor;


-- Names

create or replace function pgmq.format_table_name(queue_name text, prefix text)
returns text
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    if queue_name ~ '[$;'']|--' then
        raise exception 'queue name contains invalid characters: $, ;, --, or \''';
    end if;
    return lower(prefix || '_' || queue_name);
end
$$;

create or replace function pgmq.validate_queue_name(queue_name text)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    if length(queue_name) > 47 then -- archived_at_idx_<name> then has the 63 bytes an identifier may have
        raise exception 'queue name is too long, maximum length is 47 characters';
    end if;
end
$$;

create or replace function pgmq.acquire_queue_lock(queue_name text)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtext('pgmq.queue_' || queue_name));
end
$$;


-- Queues

create or replace function pgmq._create(queue_name text, is_unlogged boolean)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
    queue_table constant text := pgmq.format_table_name(queue_name, 'q');
    archive_table constant text := pgmq.format_table_name(queue_name, 'a');
    other text;
begin
    perform pgmq.validate_queue_name(queue_name);
    if queue_name !~ '^[A-Za-z0-9_]+$' then
        raise exception 'queue name "%" is not usable, it may have only letters A to Z, digits and _', queue_name
            using errcode = 'invalid_name';
    end if;

    perform pgmq.acquire_queue_lock(queue_name);
    perform pgmq.acquire_queue_lock(lower(queue_name)); -- the tables are shared by every spelling
    select m.queue_name
    into other
    from pgmq.meta m
    where lower(m.queue_name) = lower(_create.queue_name)
      and m.queue_name <> _create.queue_name;
    if found then
        raise exception 'queue name "%" differs only in case from the existing queue "%"', queue_name, other
            using errcode = 'duplicate_table';
    end if;

    execute format($sql$
        create %s table if not exists pgmq.%I (
            msg_id bigint primary key generated always as identity,
            read_ct integer not null default 0,
            enqueued_at timestamptz not null default now(),
            last_read_at timestamptz,
            vt timestamptz not null,
            message jsonb,
            headers jsonb
        )
        with (
            -- each message leaves two or three dead rows; default settings let a backlog's worth of them pile up
            autovacuum_vacuum_threshold = 500,
            autovacuum_vacuum_scale_factor = 0.02,
            autovacuum_vacuum_cost_delay = 0
        )
        $sql$, case when is_unlogged then 'unlogged' end, queue_table);
    execute format($sql$
        create table if not exists pgmq.%I (
            msg_id bigint primary key,
            read_ct integer not null default 0,
            enqueued_at timestamptz not null default now(),
            last_read_at timestamptz,
            archived_at timestamptz not null default now(),
            vt timestamptz not null,
            message jsonb,
            headers jsonb
        )
        $sql$, archive_table);
    execute format('create index if not exists %I on pgmq.%I (vt)', queue_table || '_vt_idx', queue_table);
    execute format('create index if not exists %I on pgmq.%I (archived_at)', 'archived_at_idx_' || queue_name, archive_table);

    insert into pgmq.meta (queue_name, is_partitioned, is_unlogged)
    values (_create.queue_name, false, _create.is_unlogged)
    on conflict on constraint meta_queue_name_key do nothing;
end
$$;

create or replace function pgmq.create_non_partitioned(queue_name text)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    perform pgmq._create(queue_name, is_unlogged => false);
end
$$;

create or replace function pgmq.create_unlogged(queue_name text)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    perform pgmq._create(queue_name, is_unlogged => true);
end
$$;

create or replace function pgmq.create(queue_name text)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    perform pgmq.create_non_partitioned(queue_name);
end
$$;

create or replace function pgmq.drop_queue(queue_name text)
returns boolean
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
    queue_table constant text := pgmq.format_table_name(queue_name, 'q');
    archive_table constant text := pgmq.format_table_name(queue_name, 'a');
begin
    perform pgmq.acquire_queue_lock(queue_name);
    if queue_name is not null and not exists (select from pgmq.meta m where m.queue_name = drop_queue.queue_name) then
        raise notice 'pgmq queue `%` does not exist', queue_name;
        return false;
    end if;
    execute format('drop table if exists pgmq.%I', queue_table);
    execute format('drop table if exists pgmq.%I', archive_table);
    delete from pgmq.meta m
    where m.queue_name = drop_queue.queue_name;
    return true;
end
$$;

create or replace function pgmq.drop_queue(queue_name text, partitioned boolean)
returns boolean
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    raise warning 'pgmq.drop_queue(queue_name, partitioned) is deprecated, use pgmq.drop_queue(queue_name)';
    perform pgmq.drop_queue(queue_name);
    return true;
end
$$;

create or replace function pgmq.purge_queue(queue_name text)
returns bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
    queue_table constant text := pgmq.format_table_name(queue_name, 'q');
    purged bigint;
begin
    execute format('lock table pgmq.%I in access exclusive mode', queue_table); -- or the count could miss late arrivals
    execute format('select count(*) from pgmq.%I', queue_table) into purged;
    execute format('truncate table pgmq.%I', queue_table);
    return purged;
end
$$;

create or replace function pgmq.list_queues()
returns setof pgmq.queue_record
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select m.queue_name, m.is_partitioned, m.is_unlogged, m.created_at
    from pgmq.meta m;
end
$$;

create or replace function pgmq.detach_archive(queue_name text)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    raise warning 'pgmq.detach_archive(queue_name) is deprecated and does nothing';
end
$$;


-- Sending

create or replace function pgmq.send(queue_name text, msg jsonb, headers jsonb, delay timestamptz)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query execute format($sql$
        insert into pgmq.%I (vt, message, headers)
        values ($1, $2, $3)
        returning msg_id
        $sql$, pgmq.format_table_name(queue_name, 'q'))
    using delay, msg, headers;
end
$$;

create or replace function pgmq.send(queue_name text, msg jsonb, headers jsonb, delay integer)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send(queue_name, msg, headers, clock_timestamp() + make_interval(secs => delay)) sent (msg_id);
end
$$;

create or replace function pgmq.send(queue_name text, msg jsonb, headers jsonb)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send(queue_name, msg, headers, clock_timestamp()) sent (msg_id);
end
$$;

create or replace function pgmq.send(queue_name text, msg jsonb, delay timestamptz)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send(queue_name, msg, null::jsonb, delay) sent (msg_id);
end
$$;

create or replace function pgmq.send(queue_name text, msg jsonb, delay integer)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send(queue_name, msg, null::jsonb, clock_timestamp() + make_interval(secs => delay)) sent (msg_id);
end
$$;

create or replace function pgmq.send(queue_name text, msg jsonb)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send(queue_name, msg, null::jsonb, clock_timestamp()) sent (msg_id);
end
$$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay timestamptz)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    if cardinality(msgs) > 0 is not true then
        raise exception 'msgs cannot be NULL or empty';
    end if;
    if cardinality(headers) <> cardinality(msgs) then
        raise exception 'headers array length (%) must match msgs array length (%)', cardinality(headers), cardinality(msgs);
    end if;
    if cardinality(msgs) = 1 then -- cheaper to plan
        return query
        select sent.msg_id
        from unnest(msgs, headers) one (message, headers)
        cross join lateral pgmq.send(queue_name, one.message, one.headers, delay) sent (msg_id);
        return;
    end if;
    return query execute format($sql$
        insert into pgmq.%I (vt, message, headers)
        select $1, sent.message, sent.headers
        from unnest($2, $3) with ordinality sent (message, headers, position)
        order by sent.position -- ids are drawn in this order, and callers pair them with their array
        returning msg_id
        $sql$, pgmq.format_table_name(queue_name, 'q'))
    using delay, msgs, headers;
end
$$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay integer)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send_batch(queue_name, msgs, headers, clock_timestamp() + make_interval(secs => delay)) sent (msg_id);
end
$$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[])
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send_batch(queue_name, msgs, headers, clock_timestamp()) sent (msg_id);
end
$$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[], delay timestamptz)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send_batch(queue_name, msgs, null::jsonb[], delay) sent (msg_id);
end
$$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[], delay integer)
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send_batch(queue_name, msgs, null::jsonb[], clock_timestamp() + make_interval(secs => delay)) sent (msg_id);
end
$$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[])
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select sent.msg_id
    from pgmq.send_batch(queue_name, msgs, null::jsonb[], clock_timestamp()) sent (msg_id);
end
$$;


-- Reading

-- Locks the visible messages with the lowest ids, at most qty, none that another transaction holds, and returns the ids.
-- A walk along the primary key is slow where many hidden messages come first, one along vt where many visible ones have
-- to be sorted. So look along vt only as far as is cheap: if that shows all there is, choose from it, else walk the key.
-- The settings keep the planner to these two indexes however old its statistics are.
create or replace function pgmq._lock_visible(queue_name text, qty integer, conditional jsonb, moment timestamptz)
returns bigint[]
language plpgsql
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_bitmapscan to off
set enable_sort to off
set jit to off
as $$
declare
    queue_table constant text := pgmq.format_table_name(queue_name, 'q');
    cheap constant integer := 200;
    visible bigint[];
    locked bigint[];
begin
    if qty is null then
        raise exception 'qty must not be NULL'
            using errcode = 'null_value_not_allowed';
    elsif qty < 0 then
        raise exception 'LIMIT must not be negative'
            using errcode = 'invalid_row_count_in_limit_clause';
    end if;

    execute format($sql$
        select array_agg(v.msg_id)
        from (
            select q.msg_id
            from pgmq.%I q
            where q.vt <= $1
            order by q.vt
            limit $2
        ) v
        $sql$, queue_table)
    into visible
    using moment, cheap;
    if visible is null then
        return null;
    end if;

    execute format($sql$
        select array_agg(l.msg_id)
        from (
            select q.msg_id
            from pgmq.%I q
            where q.vt <= $1
              %s
              and ($3 is null or q.message @> $3)
            order by q.msg_id
            limit $4
            for update skip locked
        ) l
        $sql$, queue_table, case when cardinality(visible) < cheap then 'and q.msg_id = any ($2)' end)
    into locked
    using moment, visible, nullif(conditional, '{}'), qty;
    return locked;
end
$$;

create or replace function pgmq.read(queue_name text, vt integer, qty integer, conditional jsonb default '{}')
returns setof pgmq.message_record
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
    moment constant timestamptz := clock_timestamp(); -- read once: compared with a volatile function, vt has no use of its index
    chosen constant bigint[] := pgmq._lock_visible(queue_name, qty, conditional, moment);
begin
    if chosen is null then
        return;
    end if;
    return query execute format($sql$
        with claimed as (
            update pgmq.%I q
            set vt = $2 + make_interval(secs => $3),
                read_ct = q.read_ct + 1,
                last_read_at = $2
            where q.msg_id = any ($1)
            returning q.msg_id, q.read_ct, q.enqueued_at, q.last_read_at, q.vt, q.message, q.headers
        )
        select c.msg_id, c.read_ct, c.enqueued_at, c.last_read_at, c.vt, c.message, c.headers
        from claimed c
        order by c.msg_id
        $sql$, pgmq.format_table_name(queue_name, 'q'))
    using chosen, moment, vt;
end
$$;

create or replace function pgmq.read_with_poll(
    queue_name text,
    vt integer,
    qty integer,
    max_poll_seconds integer default 5,
    poll_interval_ms integer default 100,
    conditional jsonb default '{}'
)
returns setof pgmq.message_record
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
    deadline constant timestamptz := clock_timestamp() + make_interval(secs => max_poll_seconds);
begin
    while clock_timestamp() < deadline loop
        return query
        select r.msg_id, r.read_ct, r.enqueued_at, r.last_read_at, r.vt, r.message, r.headers
        from pgmq.read(queue_name, vt, qty, conditional) r;
        exit when found;
        perform pg_sleep(poll_interval_ms / 1000.0);
    end loop;
end
$$;

create or replace function pgmq.pop(queue_name text, qty integer default 1)
returns setof pgmq.message_record
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
    chosen constant bigint[] := pgmq._lock_visible(queue_name, qty, null, clock_timestamp());
begin
    if chosen is null then
        return;
    end if;
    return query execute format($sql$
        with popped as (
            delete from pgmq.%I q
            where q.msg_id = any ($1)
            returning q.msg_id, q.read_ct, q.enqueued_at, q.last_read_at, q.vt, q.message, q.headers
        )
        select p.msg_id, p.read_ct, p.enqueued_at, p.last_read_at, p.vt, p.message, p.headers
        from popped p
        order by p.msg_id
        $sql$, pgmq.format_table_name(queue_name, 'q'))
    using chosen;
end
$$;

create or replace function pgmq.set_vt(queue_name text, msg_ids bigint[], vt timestamptz)
returns setof pgmq.message_record
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query execute format($sql$
        update pgmq.%I q
        set vt = $2
        where q.msg_id = any ($1)
        returning q.msg_id, q.read_ct, q.enqueued_at, q.last_read_at, q.vt, q.message, q.headers
        $sql$, pgmq.format_table_name(queue_name, 'q'))
    using msg_ids, vt;
end
$$;

create or replace function pgmq.set_vt(queue_name text, msg_ids bigint[], vt integer)
returns setof pgmq.message_record
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select m.msg_id, m.read_ct, m.enqueued_at, m.last_read_at, m.vt, m.message, m.headers
    from pgmq.set_vt(queue_name, msg_ids, clock_timestamp() + make_interval(secs => vt)) m;
end
$$;

create or replace function pgmq.set_vt(queue_name text, msg_id bigint, vt timestamptz)
returns setof pgmq.message_record
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select m.msg_id, m.read_ct, m.enqueued_at, m.last_read_at, m.vt, m.message, m.headers
    from pgmq.set_vt(queue_name, array[set_vt.msg_id], set_vt.vt) m;
end
$$;

create or replace function pgmq.set_vt(queue_name text, msg_id bigint, vt integer)
returns setof pgmq.message_record
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select m.msg_id, m.read_ct, m.enqueued_at, m.last_read_at, m.vt, m.message, m.headers
    from pgmq.set_vt(queue_name, array[set_vt.msg_id], clock_timestamp() + make_interval(secs => set_vt.vt)) m;
end
$$;


-- Disposal

create or replace function pgmq.delete(queue_name text, msg_ids bigint[])
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query execute format($sql$
        delete from pgmq.%I q
        where q.msg_id = any ($1)
        returning q.msg_id
        $sql$, pgmq.format_table_name(queue_name, 'q'))
    using msg_ids;
end
$$;

create or replace function pgmq.delete(queue_name text, msg_id bigint)
returns boolean
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return exists (select from pgmq.delete(queue_name, array[msg_id]));
end
$$;

create or replace function pgmq.archive(queue_name text, msg_ids bigint[])
returns setof bigint
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query execute format($sql$
        with removed as (
            delete from pgmq.%I q
            where q.msg_id = any ($1)
            returning q.msg_id, q.read_ct, q.enqueued_at, q.last_read_at, q.vt, q.message, q.headers
        )
        insert into pgmq.%I (msg_id, read_ct, enqueued_at, last_read_at, vt, message, headers)
        select r.msg_id, r.read_ct, r.enqueued_at, r.last_read_at, r.vt, r.message, r.headers
        from removed r
        returning msg_id
        $sql$, pgmq.format_table_name(queue_name, 'q'), pgmq.format_table_name(queue_name, 'a'))
    using msg_ids;
end
$$;

create or replace function pgmq.archive(queue_name text, msg_id bigint)
returns boolean
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return exists (select from pgmq.archive(queue_name, array[msg_id]));
end
$$;


-- Inspection

create or replace function pgmq.metrics(queue_name text)
returns pgmq.metrics_result
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
    queue_table constant text := pgmq.format_table_name(queue_name, 'q');
    result pgmq.metrics_result;
begin
    execute format($sql$
        select $1,
            count(*),
            extract(epoch from now() - max(q.enqueued_at))::integer,
            extract(epoch from now() - min(q.enqueued_at))::integer,
            (select case when s.is_called then s.last_value else 0 end from pgmq.%I s),
            now(),
            count(*) filter (where q.vt <= now())
        from pgmq.%I q
        $sql$, queue_table || '_msg_id_seq', queue_table)
    into result
    using queue_name;
    return result;
end
$$;

create or replace function pgmq.metrics_all()
returns setof pgmq.metrics_result
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select r.queue_name, r.queue_length, r.newest_msg_age_sec, r.oldest_msg_age_sec, r.total_messages, r.scrape_time,
        r.queue_visible_length
    from pgmq.meta m
    cross join lateral pgmq.metrics(m.queue_name) r;
end
$$;


-- Notifications: a hint on the channel pgmq.q_<queue name as given>.INSERT, thinned out by an interval per queue

-- Never waits and never fails because of another sender: senders in one transaction to several queues would deadlock,
-- and one long transaction would hold up every other. In doubt it notifies: a hint too many costs a read, one too few
-- leaves a message lying until the next poll. So the row of the throttle may be missing (a crash empties the table),
-- locked by a sender that has not committed and still may roll back, or unusable in a snapshot older than the row.
create or replace function pgmq.notify_queue_listeners()
returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
    queue constant text := tg_argv[0];
    moment constant timestamptz := clock_timestamp();
begin
    if exists (
        select
        from pgmq.notify_insert_throttle t
        where t.queue_name = queue
          and t.throttle_interval_ms > 0
          and t.last_notified_at > moment - t.throttle_interval_ms * interval '1 ms'
          and t.last_notified_at <= moment -- else a clock set back would silence the queue
    ) then
        return null;
    end if;
    if not exists (select from sent where read_ct = 0) then -- nothing was inserted, or only what somebody has already
        return null;
    end if;
    if current_setting('transaction_isolation') = 'read committed' then
        update pgmq.notify_insert_throttle t
        set last_notified_at = moment
        where t.queue_name = (
            select due.queue_name
            from pgmq.notify_insert_throttle due
            where due.queue_name = queue
              and due.throttle_interval_ms > 0
            for no key update skip locked
        );
    end if;
    perform pg_notify('pgmq.q_' || queue || '.INSERT', null);
    return null;
end
$$;

create or replace function pgmq.enable_notify_insert(queue_name text, throttle_interval_ms integer default 250)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
declare
    queue_table constant text := pgmq.format_table_name(queue_name, 'q');
begin
    if throttle_interval_ms < 0 then
        raise exception 'throttle_interval_ms must be non-negative';
    end if;
    perform pgmq.acquire_queue_lock(queue_name);
    if not exists (select from pgmq.meta m where m.queue_name = enable_notify_insert.queue_name) then
        raise exception 'Queue "%" does not exist. Create it first using pgmq.create()', queue_name;
    end if;

    -- looked at first: even an upsert that changes nothing waits for a sender that holds the row
    if not exists (
        select
        from pgmq.notify_insert_throttle t
        where t.queue_name = enable_notify_insert.queue_name
          and t.throttle_interval_ms = enable_notify_insert.throttle_interval_ms
    ) then
        insert into pgmq.notify_insert_throttle (queue_name, throttle_interval_ms)
        values (enable_notify_insert.queue_name, enable_notify_insert.throttle_interval_ms)
        on conflict on constraint notify_insert_throttle_queue_name_key do update
        set throttle_interval_ms = excluded.throttle_interval_ms,
            last_notified_at = excluded.last_notified_at;
    end if;

    -- creating a trigger waits for every open transaction that has written to the queue
    if not exists (
        select
        from pg_trigger g
        where g.tgrelid = format('pgmq.%I', queue_table)::regclass
          and g.tgname = 'trigger_notify_queue_insert_listeners'
          and g.tgfoid = 'pgmq.notify_queue_listeners()'::regprocedure
          and g.tgargs = convert_to(enable_notify_insert.queue_name, 'UTF8') || '\x00'
          and g.tgnewtable = 'sent'
          and g.tgenabled = 'O'
    ) then
        execute format('drop trigger if exists trigger_notify_queue_insert_listeners on pgmq.%I', queue_table);
        execute format($sql$
            create trigger trigger_notify_queue_insert_listeners
            after insert on pgmq.%I
            referencing new table as sent
            for each statement
            execute function pgmq.notify_queue_listeners(%L)
            $sql$, queue_table, queue_name);
    end if;
end
$$;

create or replace function pgmq.disable_notify_insert(queue_name text)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    perform pgmq.acquire_queue_lock(queue_name);
    execute format(
        'drop trigger if exists trigger_notify_queue_insert_listeners on pgmq.%I', pgmq.format_table_name(queue_name, 'q'));
    delete from pgmq.notify_insert_throttle t
    where t.queue_name = disable_notify_insert.queue_name;
end
$$;

create or replace function pgmq.update_notify_insert(queue_name text, throttle_interval_ms integer)
returns void
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
    if throttle_interval_ms < 0 then
        raise exception 'throttle_interval_ms must be non-negative, got: %', throttle_interval_ms;
    end if;
    if not exists (select from pgmq.meta m where m.queue_name = update_notify_insert.queue_name) then
        raise exception 'Queue "%" does not exist. Create the queue first using pgmq.create()', queue_name;
    end if;
    update pgmq.notify_insert_throttle t
    set throttle_interval_ms = update_notify_insert.throttle_interval_ms,
        last_notified_at = to_timestamp(0)
    where t.queue_name = update_notify_insert.queue_name;
    if not found then
        raise exception
            'Queue "%" does not have notify_insert enabled. Enable it first using pgmq.enable_notify_insert()', queue_name;
    end if;
end
$$;

create or replace function pgmq.list_notify_insert_throttles()
returns table (queue_name text, throttle_interval_ms integer, last_notified_at timestamptz)
language plpgsql
stable
set search_path to pg_catalog, pg_temp
as $$
begin
    return query
    select t.queue_name::text, t.throttle_interval_ms, t.last_notified_at
    from pgmq.notify_insert_throttle t
    order by t.queue_name;
end
$$;
