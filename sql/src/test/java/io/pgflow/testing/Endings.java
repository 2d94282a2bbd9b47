package io.pgflow.testing;

import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * A record, kept by triggers, of each time that a run, a step or a task ended, and of each that went on after its end: what a state alone does not
 * show. {@link Invariants} reads it where it is kept.
 */
public final class Endings {

    private static final String KEEP = """
            create schema if not exists endings;
            create table if not exists endings.seen (
              run_id uuid not null,
              step_slug text,
              task_index int,
              was text,
              became text not null,
              at timestamptz not null default clock_timestamp()
            );
            create or replace function endings.see() returns trigger language plpgsql security definer set search_path to '' as $$
            begin
              insert into endings.seen (run_id, step_slug, task_index, was, became)
              values (
                new.run_id, to_jsonb(new) ->> 'step_slug', (to_jsonb(new) ->> 'task_index')::int,
                case when tg_op = 'UPDATE' then old.status end, new.status
              );
              return null;
            end
            $$;
            do $$
            declare
              v_table text;
            begin
              foreach v_table in array array['runs', 'step_states', 'step_tasks'] loop
                execute format($f$
                  create or replace trigger sees_end after insert on pgflow.%1$I for each row
                    when (new.status in ('completed', 'failed', 'skipped')) execute function endings.see();
                  create or replace trigger sees_other_end after update of status on pgflow.%1$I for each row
                    when (old.status <> new.status
                      and (new.status in ('completed', 'failed', 'skipped') or old.status in ('completed', 'failed', 'skipped')))
                    execute function endings.see()
                $f$, v_table);
              end loop;
            end
            $$;
            """;

    /** What ended another number of times than its state says. Rows that were deleted since count for nothing. */
    static final String BREACHES = """
            with ends as (
              select e.run_id, coalesce(e.step_slug, '') as step_slug, coalesce(e.task_index, -1) as task_index, count(*) as times,
                string_agg(concat_ws('-', e.was, e.became), ', ' order by e.at) as story
              from endings.seen e
              group by 1, 2, 3
            ),
            states as (
              select r.run_id, '' as step_slug, -1 as task_index, r.status from pgflow.runs r
              union all
              select s.run_id, s.step_slug, -1, s.status from pgflow.step_states s
              union all
              select t.run_id, t.step_slug, t.task_index, t.status from pgflow.step_tasks t
            )
            select concat_ws(' ', r.run_id, nullif(r.step_slug, ''), nullif(r.task_index, -1),
              format('is %s, but its endings are: %s', r.status, coalesce(e.story, 'none')))
            from states r
            left join ends e on e.run_id = r.run_id and e.step_slug = r.step_slug and e.task_index = r.task_index
            where coalesce(e.times, 0) <> case when r.status in ('completed', 'failed', 'skipped') then 1 else 0 end
            order by 1
            limit 20""";

    private Endings() {}

    /** Keeps the record from now on, where it is not kept yet; there are no runs yet then. */
    public static void keep(DataSource database) {
        try (var connection = database.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(KEEP);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
