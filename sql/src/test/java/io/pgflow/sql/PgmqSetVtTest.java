package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqSetVtTest {

    @BeforeEach
    void threeMessagesOfWhichTheFirstWasRead(PgmqSession db) throws SQLException {
        db.run(
                "select pgmq.send_batch('orders', array['1', '2', '3']::jsonb[], array['{\"h\": 1}', null, null]::jsonb[])");
        db.run("select pgmq.read('orders', 30, 1)");
    }

    @Test
    void countsSecondsFromTheCall(PgmqSession db) throws SQLException {
        db.begin();
        db.run("select pg_sleep(0.02)");
        db.run("create temporary table called on commit drop as select clock_timestamp() as at");

        assertThat(db.longs("select s.msg_id from called, pgmq.set_vt('orders', 2, 60) s"
                        + " where s.vt - interval '60 s' between called.at and clock_timestamp()"))
                .containsExactly(2L);
        assertThat(db.longs("select s.msg_id from called, pgmq.set_vt('orders', array[1, 3]::bigint[], 60) s"
                        + " where s.vt - interval '60 s' between called.at and clock_timestamp() order by 1"))
                .containsExactly(1L, 3L);
        db.rollback();
    }

    @Test
    void takesATimeInPlaceOfSeconds(PgmqSession db) throws SQLException {
        db.run("select pgmq.set_vt('orders', 1, '2031-02-03'::timestamptz)");
        db.run("select pgmq.set_vt('orders', array[2, 3]::bigint[], '2031-02-03'::timestamptz)");

        assertThat(db.number("select count(*) from pgmq.q_orders where vt = '2031-02-03'::timestamptz"))
                .isEqualTo(3);
    }

    @Test
    void returnsTheMessageAndLeavesItsCountAndLastRead(PgmqSession db) throws SQLException {
        assertThat(db.text("""
                        select format('%s %s %s %s', s.msg_id, s.read_ct, s.message, s.headers)
                        from pgmq.q_orders q
                        join pgmq.set_vt(queue_name => 'orders', msg_id => 1, vt => 90) s using (msg_id)
                        where s.last_read_at = q.last_read_at and s.enqueued_at = q.enqueued_at and s.vt > q.vt
                        """)).isEqualTo("1 1 1 {\"h\": 1}");
    }

    @Test
    void ofZeroOrLessMakesAMessageVisibleAtOnce(PgmqSession db) throws SQLException {
        db.run("select pgmq.set_vt('orders', 1, 0)");
        assertThat(db.longs("select read_ct from pgmq.read('orders', 30, 1)")).containsExactly(2L);

        db.run("select pgmq.set_vt('orders', 1, -10)");
        assertThat(db.longs("select read_ct from pgmq.read('orders', 30, 1)")).containsExactly(3L);
    }

    @Test
    void ofUnknownIdsReturnsNothing(PgmqSession db) throws SQLException {
        assertThat(db.longs("select msg_id from pgmq.set_vt('orders', 99, 5)")).isEmpty();
        assertThat(db.longs("select msg_id from pgmq.set_vt('orders', null::bigint, 5)"))
                .isEmpty();
        assertThat(db.longs("select msg_id from pgmq.set_vt('orders', array[2, 99, 2]::bigint[], 5)"))
                .containsExactly(2L);
        assertThat(db.longs("select msg_id from pgmq.set_vt('orders', array[]::bigint[], 5)"))
                .isEmpty();
    }

    @Test
    void refusesNull(PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.set_vt('orders', 1, null::integer)").state())
                .isEqualTo("23502");
    }

    @Test
    void waitsForAMessageThatAnotherTransactionHolds(PgmqSession db, PgmqSession other) throws SQLException {
        other.begin();
        other.run("select pgmq.read('orders', 30, 1)");
        db.run("set lock_timeout = '100ms'");

        assertThat(db.refusal("select pgmq.set_vt('orders', 2, 5)").state()).isEqualTo("55P03");
        other.rollback();
    }
}
