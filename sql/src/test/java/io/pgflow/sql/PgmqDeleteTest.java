package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqDeleteTest {

    @BeforeEach
    void threeMessagesOfWhichOneIsHidden(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', '2', '3']::jsonb[])");
        db.run("select pgmq.set_vt('orders', 3, 60)");
    }

    @Test
    void removesAMessageVisibleOrNot(PgmqSession db) throws SQLException {
        assertThat(db.holds("pgmq.delete('orders', 1::bigint)")).isTrue();
        assertThat(db.holds("pgmq.delete(queue_name => 'orders', msg_id => 3)")).isTrue();

        assertThat(db.longs("select msg_id from pgmq.q_orders")).containsExactly(2L);
        assertThat(db.longs("select msg_id from pgmq.a_orders")).isEmpty();
    }

    @Test
    void ofSeveralReturnsTheIdsThatWereThere(PgmqSession db) throws SQLException {
        assertThat(db.longs("select pgmq.delete(queue_name => 'orders', msg_ids => array[3, 99, 1, 3])"))
                .containsExactlyInAnyOrder(1L, 3L);
        assertThat(db.longs("select msg_id from pgmq.q_orders")).containsExactly(2L);
    }

    @Test
    void ofNothingIsNothing(PgmqSession db) throws SQLException {
        assertThat(db.holds("pgmq.delete('orders', 99::bigint)")).isFalse();
        assertThat(db.holds("pgmq.delete('orders', null::bigint)")).isFalse();
        assertThat(db.longs("select pgmq.delete('orders', null::bigint[])")).isEmpty();
        assertThat(db.longs("select pgmq.delete('orders', array[]::bigint[])")).isEmpty();
        assertThat(db.number("select count(*) from pgmq.q_orders")).isEqualTo(3);
    }

    @Test
    void waitsForAMessageThatAnotherTransactionHolds(PgmqSession db, PgmqSession other) throws SQLException {
        other.begin();
        other.run("select pgmq.read('orders', 30, 1)");
        db.run("set lock_timeout = '100ms'");

        assertThat(db.refusal("select pgmq.delete('orders', 1::bigint)").state())
                .isEqualTo("55P03");

        other.rollback();
        assertThat(db.holds("pgmq.delete('orders', 1::bigint)")).isTrue();
    }
}
