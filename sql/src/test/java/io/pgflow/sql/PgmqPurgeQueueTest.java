package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqPurgeQueueTest {

    @Test
    void removesAllMessagesAndCountsThem(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', '2', '3']::jsonb[], 60)");

        assertThat(db.number("select pgmq.purge_queue('orders')")).isEqualTo(3);
        assertThat(db.number("select pgmq.purge_queue('orders')")).isZero();
        assertThat(db.number("select count(*) from pgmq.q_orders")).isZero();
    }

    @Test
    void leavesTheIdsAndTheArchiveAsTheyAre(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', '2']::jsonb[])");
        db.run("select pgmq.archive('orders', 1::bigint)");

        db.run("select pgmq.purge_queue('orders')");

        assertThat(db.longs("select pgmq.send('orders', '{}')")).containsExactly(3L);
        assertThat(db.longs("select msg_id from pgmq.a_orders")).containsExactly(1L);
    }

    @Test
    void waitsForOpenTransactionsOnTheQueue(PgmqSession db, PgmqSession sender) throws SQLException {
        sender.begin();
        sender.run("select pgmq.send('orders', '{}')");
        db.run("set lock_timeout = '100ms'");

        assertThat(db.refusal("select pgmq.purge_queue('orders')").state()).isEqualTo("55P03");

        sender.commit();
        assertThat(db.number("select pgmq.purge_queue('orders')")).isEqualTo(1);
    }
}
