package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqCreateTest {

    @Test
    void givesTheQueueTableThePublicLayout(PgmqSession db) throws SQLException {
        assertThat(db.texts(columnsOf("q_orders")))
                .containsExactly(
                        "msg_id bigint not null always",
                        "read_ct integer not null default 0",
                        "enqueued_at timestamp with time zone not null default now()",
                        "last_read_at timestamp with time zone",
                        "vt timestamp with time zone not null",
                        "message jsonb",
                        "headers jsonb");
        assertThat(db.texts("select indexdef from pg_indexes where tablename = 'q_orders' order by indexname"))
                .containsExactly(
                        "CREATE UNIQUE INDEX q_orders_pkey ON pgmq.q_orders USING btree (msg_id)",
                        "CREATE INDEX q_orders_vt_idx ON pgmq.q_orders USING btree (vt)");
        assertThat(db.text("select pg_get_serial_sequence('pgmq.q_orders', 'msg_id')"))
                .isEqualTo("pgmq.q_orders_msg_id_seq");
    }

    @Test
    void givesTheArchiveThePublicLayout(PgmqSession db) throws SQLException {
        assertThat(db.texts(columnsOf("a_orders")))
                .containsExactly(
                        "msg_id bigint not null",
                        "read_ct integer not null default 0",
                        "enqueued_at timestamp with time zone not null default now()",
                        "last_read_at timestamp with time zone",
                        "archived_at timestamp with time zone not null default now()",
                        "vt timestamp with time zone not null",
                        "message jsonb",
                        "headers jsonb");
        assertThat(db.texts("select indexname from pg_indexes where tablename = 'a_orders' order by 1"))
                .containsExactly("a_orders_pkey", "archived_at_idx_orders");
    }

    private static String columnsOf(String table) {
        return """
                select concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
                    case when a.attnotnull then 'not null' end,
                    case when a.attidentity = 'a' then 'always' end,
                    'default ' || pg_get_expr(d.adbin, d.adrelid))
                from pg_attribute a
                left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                where a.attrelid = 'pgmq.%s'::regclass and a.attnum > 0
                order by a.attnum
                """.formatted(table);
    }

    @Test
    void keepsTheCallersSpellingInTheRegistryAndTheArchivesIndex(PgmqSession db) throws SQLException {
        db.run("select pgmq.create('myQueue')");

        assertThat(db.texts("select queue_name from pgmq.list_queues() order by queue_name collate \"C\""))
                .containsExactly("myQueue", "orders");
        assertThat(db.holds("to_regclass('pgmq.q_myqueue') is not null")).isTrue();
        assertThat(db.holds("to_regclass('pgmq.\"archived_at_idx_myQueue\"') is not null"))
                .isTrue();
    }

    @Test
    void registersWhatItMade(PgmqSession db) throws SQLException {
        db.run("select pgmq.create_unlogged('fast')");

        assertThat(db.texts("select format('%s %s %s', queue_name, is_partitioned, is_unlogged)"
                        + " from pgmq.list_queues() where created_at <= now() order by queue_name"))
                .containsExactly("fast f t", "orders f f");
    }

    @Test
    void twiceChangesNothing(PgmqSession db) throws SQLException {
        db.run("select pgmq.create_unlogged('fast')");
        db.run("select pgmq.send('fast', '{}')");

        var notices = db.notices("select pgmq.create('fast')");

        assertThat(notices).anyMatch(notice -> notice.contains("already exists, skipping"));
        assertThat(db.text("select relpersistence from pg_class where oid = 'pgmq.q_fast'::regclass"))
                .isEqualTo("u");
        assertThat(db.holds("(select is_unlogged from pgmq.meta where queue_name = 'fast')"))
                .isTrue();
        assertThat(db.number("select count(*) from pgmq.q_fast")).isEqualTo(1);
    }

    @Test
    void unloggedLeavesTheArchiveLogged(PgmqSession db) throws SQLException {
        db.run("select pgmq.create_unlogged('fast')");

        assertThat(db.texts("select format('%s %s', relname, relpersistence) from pg_class"
                        + " where oid in ('pgmq.q_fast'::regclass, 'pgmq.a_fast'::regclass) order by relname"))
                .containsExactly("a_fast p", "q_fast u");
    }

    @Test
    void rolledBackLeavesNothing(PgmqSession db) throws SQLException {
        db.begin();
        db.run("select pgmq.create('gone')");
        db.rollback();

        assertThat(db.holds("to_regclass('pgmq.q_gone') is null")).isTrue();
        assertThat(db.texts("select queue_name from pgmq.list_queues()")).containsExactly("orders");
    }

    @Test
    void ofOneQueueTwiceAtOnceWaitsInsteadOfFailing(PgmqSession one, PgmqSession other) throws Exception {
        for (var name : new String[] {"new", "newInCamelCase"}) {
            one.begin();
            one.run("select pgmq.create('" + name + "')");

            var second = other.later("select pgmq.create('" + name + "')");
            one.awaitLockWaitOf(other);
            one.commit();

            assertThat(second.get(30, TimeUnit.SECONDS)).as(name).isEmpty(); // the text of void, and no SQLSTATE
        }
    }

    @Test
    void holdsTheLockThatOthersMayTakeByItsKey(PgmqSession one, PgmqSession other) throws SQLException {
        one.begin();
        one.run("select pgmq.acquire_queue_lock('orders')");

        assertThat(other.holds("pg_try_advisory_xact_lock(hashtext('pgmq.queue_orders'))"))
                .isFalse();
        one.rollback();
        assertThat(other.holds("pg_try_advisory_xact_lock(hashtext('pgmq.queue_orders'))"))
                .isTrue();
    }
}
