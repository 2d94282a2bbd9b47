package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqPopTest {

    @Test
    void removesTheLowestVisibleMessageAndReturnsItAsItWas(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '1', 60)");
        db.run("select pgmq.send('orders', '2', '{\"h\": 1}'::jsonb)");
        db.run("select pgmq.send('orders', '3')");

        assertThat(db.text("select format('%s %s %s %s', msg_id, read_ct, message, headers) from pgmq.pop('orders')"))
                .isEqualTo("2 0 2 {\"h\": 1}");
        assertThat(db.longs("select msg_id from pgmq.q_orders order by msg_id")).containsExactly(1L, 3L);
        assertThat(db.longs("select msg_id from pgmq.a_orders")).isEmpty();
    }

    @Test
    void removesAsManyAsAskedFor(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', '2', '3']::jsonb[])");

        assertThat(db.longs("select msg_id from pgmq.pop('orders', 2)")).containsExactly(1L, 2L);
        assertThat(db.longs("select msg_id from pgmq.pop(queue_name => 'orders', qty => 2)"))
                .containsExactly(3L);
        assertThat(db.longs("select msg_id from pgmq.pop('orders', 2)")).isEmpty();
    }

    @Test
    void skipsWhatAnotherTransactionHolds(PgmqSession db, PgmqSession other) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', '2']::jsonb[])");
        other.begin();
        assertThat(other.longs("select msg_id from pgmq.pop('orders')")).containsExactly(1L);

        assertThat(db.longs("select msg_id from pgmq.pop('orders', 5)")).containsExactly(2L);

        other.rollback();
        assertThat(db.longs("select msg_id from pgmq.pop('orders', 5)")).containsExactly(1L);
    }

    @Test
    void refusesANullQuantity(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '{}')");

        assertThat(db.refusal("select pgmq.pop('orders', null)").state()).isEqualTo("22004");
        assertThat(db.number("select count(*) from pgmq.q_orders")).isEqualTo(1);
    }
}
