package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqArchiveTest {

    @BeforeEach
    void threeMessagesOfWhichTheFirstWasRead(PgmqSession db) throws SQLException {
        db.run(
                "select pgmq.send_batch('orders', array['1', '2', '3']::jsonb[], array['{\"h\": 1}', null, null]::jsonb[])");
        db.run("select pgmq.read('orders', 30, 1)");
    }

    @Test
    void movesAMessageWithAllItHas(PgmqSession db) throws SQLException {
        db.run("create temporary table before as select * from pgmq.q_orders where msg_id = 1");
        db.begin();

        assertThat(db.holds("pgmq.archive(queue_name => 'orders', msg_id => 1)"))
                .isTrue();

        assertThat(db.longs("""
                        select a.msg_id
                        from pgmq.a_orders a
                        join before b using (msg_id, read_ct, enqueued_at, last_read_at, vt, message, headers)
                        where a.archived_at = now()
                        """)).containsExactly(1L);
        db.commit();
        assertThat(db.longs("select msg_id from pgmq.q_orders order by 1")).containsExactly(2L, 3L);
    }

    @Test
    void ofSeveralReturnsTheIdsThatWereThere(PgmqSession db) throws SQLException {
        assertThat(db.longs("select pgmq.archive(queue_name => 'orders', msg_ids => array[3, 99, 1, 3])"))
                .containsExactlyInAnyOrder(1L, 3L);
        assertThat(db.longs("select msg_id from pgmq.q_orders")).containsExactly(2L);
        assertThat(db.longs("select msg_id from pgmq.a_orders order by 1")).containsExactly(1L, 3L);
    }

    @Test
    void takesAnAggregateOfIds(PgmqSession db) throws SQLException {
        assertThat(db.longs("select pgmq.archive('orders', array_agg(msg_id)) from pgmq.q_orders"))
                .containsExactlyInAnyOrder(1L, 2L, 3L);
    }

    @Test
    void ofNothingIsNothing(PgmqSession db) throws SQLException {
        assertThat(db.holds("pgmq.archive('orders', 99::bigint)")).isFalse();
        assertThat(db.holds("pgmq.archive('orders', null::bigint)")).isFalse();
        assertThat(db.longs("select pgmq.archive('orders', null::bigint[])")).isEmpty();
        assertThat(db.longs("select pgmq.archive('orders', array[]::bigint[])")).isEmpty();
        assertThat(db.number("select count(*) from pgmq.q_orders")).isEqualTo(3);
    }

    @Test
    void twiceIsFalseTheSecondTime(PgmqSession db) throws SQLException {
        assertThat(db.holds("pgmq.archive('orders', 1::bigint)")).isTrue();
        assertThat(db.holds("pgmq.archive('orders', 1::bigint)")).isFalse();
    }

    @Test
    void waitsForAMessageThatAnotherTransactionHolds(PgmqSession db, PgmqSession other) throws SQLException {
        other.begin();
        other.run("select pgmq.read('orders', 30, 1)");
        db.run("set lock_timeout = '100ms'");

        assertThat(db.refusal("select pgmq.archive('orders', 2::bigint)").state())
                .isEqualTo("55P03");

        other.rollback();
        assertThat(db.holds("pgmq.archive('orders', 2::bigint)")).isTrue();
    }

    @Test
    void ofAnIdThatTheArchiveHasFailsAndRemovesNothing(PgmqSession db) throws SQLException {
        db.run("insert into pgmq.a_orders (msg_id, vt) values (2, now())");

        assertThat(db.refusal("select pgmq.archive('orders', array[1, 2])").state())
                .isEqualTo("23505");
        assertThat(db.number("select count(*) from pgmq.q_orders")).isEqualTo(3);
    }

    @Test
    void refusesAnArgumentWithoutAType(PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.archive('orders', '{1}')").message()).endsWith("is not unique");
    }
}
