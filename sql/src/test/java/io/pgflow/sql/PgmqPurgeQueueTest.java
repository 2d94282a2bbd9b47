package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
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
    void waitsForOpenTransactionsOnTheQueueAndCountsTheirMessages(PgmqSession db, PgmqSession sender) throws Exception {
        sender.begin();
        sender.run("select pgmq.send('orders', '{}')");

        var purged = db.later("select pgmq.purge_queue('orders')");
        sender.awaitLockWaitOf(db);
        sender.commit();

        assertThat(purged.get(30, TimeUnit.SECONDS)).isEqualTo("1");
    }
}
