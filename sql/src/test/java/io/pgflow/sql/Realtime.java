package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/** A stand-in for Supabase's schema {@code realtime}: its {@code send} keeps what it is given, in the order in which it comes. */
final class Realtime {
    private Realtime() {}

    /** Installs it, empty, and has pgflow notice it. */
    static void install(SqlSession db) {
        db.run("""
                drop schema if exists realtime cascade;
                create schema realtime;
                create table realtime.messages (
                  id bigint generated always as identity,
                  payload jsonb,
                  event text,
                  topic text,
                  private boolean,
                  heard boolean not null default false
                );
                create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
                language plpgsql as $$
                begin
                  insert into realtime.messages (payload, event, topic, private) values (payload, event, topic, private);
                end $$;
                select pgflow.refresh_environment()""");
    }

    static void remove(SqlSession db) {
        db.run("drop schema if exists realtime cascade; select pgflow.refresh_environment()");
    }

    /** The names of the events sent since this was asked last. */
    static List<String> events(SqlSession db) {
        return db.lines("""
                with news as (update realtime.messages set heard = true where not heard returning id, event)
                select event from news order by id""");
    }

    /**
     * The events sent since this was asked last: name and payload, without the run's id, and {@code stored} in place of each time that is the
     * one in the table.
     */
    static List<String> payloads(SqlSession db) {
        return db.lines("""
                with news as (update realtime.messages set heard = true where not heard returning *)
                select n.event, (
                  select jsonb_object_agg(p.key, case when p.key like '%\\_at' and p.value = k.stored -> p.key then '"stored"' else p.value end)
                  from jsonb_each(n.payload) p
                  where p.key <> 'run_id'
                )
                from news n
                left join pgflow.runs r on n.topic = 'pgflow:run:' || r.run_id and n.payload ->> 'run_id' = r.run_id::text
                left join pgflow.step_states s on s.run_id = r.run_id and s.step_slug = n.payload ->> 'step_slug'
                cross join lateral (select case when n.payload ->> 'step_slug' is not null then to_jsonb(s) else to_jsonb(r) end as stored) k
                order by n.id""");
    }

    /** Checks that each transition in the tables was told exactly once, and a run's events in an order in which they can be understood. */
    static void check(SqlSession db) {
        assertThat(db.lines("""
                        with wanted as (
                          select r.run_id, unnest(array['run:started', 'run:' || nullif(r.status, 'started')]) as event from pgflow.runs r
                          union all
                          select s.run_id, format('step:%s:started', s.step_slug)
                          from pgflow.step_states s where s.started_at is not null and s.initial_tasks > 0
                          union all
                          select s.run_id, format('step:%s:%s', s.step_slug, s.status)
                          from pgflow.step_states s where s.status in ('completed', 'failed', 'skipped')
                        ),
                        wanted_messages as (select 'pgflow:run:' || run_id, event, false from wanted where event is not null),
                        sent as (select topic, event, private from realtime.messages)
                        select 'missing', * from (table wanted_messages except all table sent) m
                        union all
                        select 'too many', * from (table sent except all table wanted_messages) m""")).isEmpty();
        assertThat(db.lines("""
                        select m.topic, array_agg(m.event order by m.id)
                        from realtime.messages m
                        group by m.topic
                        having (array_agg(m.event order by m.id))[1] <> 'run:started'
                          or array_position(array_agg(m.event in ('run:completed', 'run:failed') order by m.id), true) < count(*)"""))
                .as("begins with run:started, and nothing comes after the run's end")
                .isEmpty();
        assertThat(db.lines("""
                        with steps as (
                          select m.id, m.topic, r.flow_slug, split_part(m.event, ':', 2) as slug, split_part(m.event, ':', 3) as what,
                            m.payload ->> 'skip_reason' = 'dependency_skipped' as dragged
                          from realtime.messages m join pgflow.runs r on m.topic = 'pgflow:run:' || r.run_id
                          where m.event like 'step:%'
                        )
                        select s.topic, s.slug, s.what, 'before', string_agg(e.slug, ', ')
                        from steps s
                        join pgflow.deps d on d.flow_slug = s.flow_slug and d.step_slug = s.slug
                        join steps e on e.topic = s.topic and e.slug = d.dep_slug and e.what <> 'started'
                        group by s.topic, s.slug, s.what, s.id, s.dragged
                        -- one dependency is enough to drag a step along
                        having case when s.dragged then min(e.id) filter (where e.what = 'skipped') else max(e.id) end > s.id
                        union all
                        select s.topic, s.slug, s.what, 'after its end', ''
                        from steps s join steps e on e.topic = s.topic and e.slug = s.slug and e.id < s.id
                        where s.what = 'started'""")).as("steps before those that wait for them").isEmpty();
    }
}
