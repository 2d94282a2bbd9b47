package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqInstallTest {

    private static final String SCRIPT = PgmqDatabase.SCRIPT;

    @Test
    void canBeRepeatedAndKeepsQueuesAndMessages(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '{}'), pgmq.enable_notify_insert('orders', 7)");

        db.run(SCRIPT);

        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 1)")).containsExactly(1L);
        assertThat(db.longs("select throttle_interval_ms from pgmq.list_notify_insert_throttles()"))
                .containsExactly(7L);
    }

    @Test
    void canBeExecutedWithinABlock(PgmqSession db) throws SQLException {
        db.begin();
        db.run("drop schema pgmq cascade");
        db.run("do $block$ begin execute $pgmq_file$" + SCRIPT + "$pgmq_file$; end $block$");

        assertThat(db.longs("select pgmq.send('q', '{}') from pgmq.create('q')"))
                .containsExactly(1L);
        db.rollback();
    }

    @Test
    void leavesItsMarkOnTheSchema(PgmqSession db) throws SQLException {
        assertThat(db.text("select obj_description('pgmq'::regnamespace, 'pg_namespace')"))
                .matches("PgFlow SQL-only pgmq [0-9]+");
    }

    @Test
    void refusesASchemaThatItDidNotMake(PgmqSession db) throws SQLException {
        for (var comment : new String[] {"null", "'A queue of ours'", "'PgFlow SQL-only pgmq'"}) {
            db.begin();
            db.run("drop schema pgmq cascade");
            db.run("create schema pgmq");
            db.run("comment on schema pgmq is " + comment);

            var refusal = db.refusal(SCRIPT);

            assertThat(refusal.state()).isEqualTo("42P06");
            assertThat(refusal.message()).contains("was not made by PgFlow");
            db.rollback();
        }
    }

    @Test
    void refusesASchemaOfANewerRelease(PgmqSession db) throws SQLException {
        db.begin();
        db.run("comment on schema pgmq is 'PgFlow SQL-only pgmq 999'");

        assertThat(db.refusal(SCRIPT).message()).contains("would overwrite a newer one");
        db.rollback();
    }

    @Test
    void refusesADatabaseWithTheExtension(PgmqSession db) throws SQLException {
        db.begin();
        db.run("drop schema pgmq cascade");
        db.run(
                "insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
                        + " select 1, 'pgmq', extowner, extnamespace, false, '1.11.0' from pg_extension where extname = 'plpgsql'");

        assertThat(db.refusal(SCRIPT).message()).startsWith("the extension pgmq is installed");
        db.rollback();
    }

    @Test
    void offersExactlyThisMuchOfThePublicSurface(PgmqSession db) throws SQLException {
        assertThat(db.texts("""
                        select format('%s(%s) %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid))
                        from pg_proc p
                        where p.pronamespace = 'pgmq'::regnamespace and not starts_with(p.proname, '_')
                        order by p.proname, pg_get_function_arguments(p.oid) collate "C"
                        """)).containsExactly("""
                        acquire_queue_lock(queue_name text) void
                        archive(queue_name text, msg_id bigint) boolean
                        archive(queue_name text, msg_ids bigint[]) SETOF bigint
                        create(queue_name text) void
                        create_non_partitioned(queue_name text) void
                        create_unlogged(queue_name text) void
                        delete(queue_name text, msg_id bigint) boolean
                        delete(queue_name text, msg_ids bigint[]) SETOF bigint
                        detach_archive(queue_name text) void
                        disable_notify_insert(queue_name text) void
                        drop_queue(queue_name text) boolean
                        drop_queue(queue_name text, partitioned boolean) boolean
                        enable_notify_insert(queue_name text, throttle_interval_ms integer DEFAULT 250) void
                        format_table_name(queue_name text, prefix text) text
                        list_notify_insert_throttles() TABLE(queue_name text, throttle_interval_ms integer, last_notified_at timestamp with time zone)
                        list_queues() SETOF pgmq.queue_record
                        metrics(queue_name text) pgmq.metrics_result
                        metrics_all() SETOF pgmq.metrics_result
                        notify_queue_listeners() trigger
                        pop(queue_name text, qty integer DEFAULT 1) SETOF pgmq.message_record
                        purge_queue(queue_name text) bigint
                        read(queue_name text, vt integer, qty integer, conditional jsonb DEFAULT '{}'::jsonb) SETOF pgmq.message_record
                        read_with_poll(queue_name text, vt integer, qty integer, max_poll_seconds integer DEFAULT 5, poll_interval_ms integer DEFAULT 100, conditional jsonb DEFAULT '{}'::jsonb) SETOF pgmq.message_record
                        send(queue_name text, msg jsonb) SETOF bigint
                        send(queue_name text, msg jsonb, delay integer) SETOF bigint
                        send(queue_name text, msg jsonb, delay timestamp with time zone) SETOF bigint
                        send(queue_name text, msg jsonb, headers jsonb) SETOF bigint
                        send(queue_name text, msg jsonb, headers jsonb, delay integer) SETOF bigint
                        send(queue_name text, msg jsonb, headers jsonb, delay timestamp with time zone) SETOF bigint
                        send_batch(queue_name text, msgs jsonb[]) SETOF bigint
                        send_batch(queue_name text, msgs jsonb[], delay integer) SETOF bigint
                        send_batch(queue_name text, msgs jsonb[], delay timestamp with time zone) SETOF bigint
                        send_batch(queue_name text, msgs jsonb[], headers jsonb[]) SETOF bigint
                        send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay integer) SETOF bigint
                        send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay timestamp with time zone) SETOF bigint
                        set_vt(queue_name text, msg_id bigint, vt integer) SETOF pgmq.message_record
                        set_vt(queue_name text, msg_id bigint, vt timestamp with time zone) SETOF pgmq.message_record
                        set_vt(queue_name text, msg_ids bigint[], vt integer) SETOF pgmq.message_record
                        set_vt(queue_name text, msg_ids bigint[], vt timestamp with time zone) SETOF pgmq.message_record
                        update_notify_insert(queue_name text, throttle_interval_ms integer) void
                        validate_queue_name(queue_name text) void
                        """.lines().toArray(String[]::new));
    }

    @Test
    void givesTheTypesThePublicFields(PgmqSession db) throws SQLException {
        assertThat(db.texts("""
                        select t.typname || ': ' || string_agg(a.attname || ' ' || a.atttypid::regtype, ', ' order by a.attnum)
                        from pg_type t
                        join pg_attribute a on a.attrelid = t.typrelid
                        join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
                        where t.typnamespace = 'pgmq'::regnamespace
                        group by t.typname
                        order by t.typname
                        """)).containsExactly("""
                        message_record: msg_id bigint, read_ct integer, enqueued_at timestamp with time zone, last_read_at timestamp with time zone, vt timestamp with time zone, message jsonb, headers jsonb
                        metrics_result: queue_name text, queue_length bigint, newest_msg_age_sec integer, oldest_msg_age_sec integer, total_messages bigint, scrape_time timestamp with time zone, queue_visible_length bigint
                        queue_record: queue_name character varying, is_partitioned boolean, is_unlogged boolean, created_at timestamp with time zone
                        """.lines().toArray(String[]::new));
    }

    @Test
    void givesTheRegistryAndTheThrottleThePublicNames(PgmqSession db) throws SQLException {
        assertThat(db.texts(
                        "select conname from pg_constraint where connamespace = 'pgmq'::regnamespace and contype in ('u', 'f')"
                                + " order by conname"))
                .containsExactly(
                        "meta_queue_name_key",
                        "notify_insert_throttle_queue_name_fkey",
                        "notify_insert_throttle_queue_name_key");
        assertThat(db.text("select relpersistence from pg_class where oid = 'pgmq.notify_insert_throttle'::regclass"))
                .isEqualTo("u");
        assertThat(db.holds("to_regclass('pgmq.idx_notify_throttle_active') is not null"))
                .isTrue();
    }

    @Test
    void dependsOnNoSearchPath(PgmqSession db) throws SQLException {
        assertThat(
                        db.texts(
                                "select proname from pg_proc where pronamespace = 'pgmq'::regnamespace"
                                        + " and (prosecdef or not coalesce(proconfig @> array['search_path=pg_catalog, pg_temp'], false))"))
                .isEmpty();
    }

    @Test
    void letsMonitorsLookAtAllQueues(PgmqSession db) throws SQLException {
        assertThat(db.holds("has_table_privilege('pg_monitor', 'pgmq.q_orders', 'select')"
                        + " and has_table_privilege('pg_monitor', 'pgmq.meta', 'select')"
                        + " and has_sequence_privilege('pg_monitor', 'pgmq.q_orders_msg_id_seq', 'select')"
                        + " and has_schema_privilege('pg_monitor', 'pgmq', 'usage')"))
                .isTrue();
    }
}
