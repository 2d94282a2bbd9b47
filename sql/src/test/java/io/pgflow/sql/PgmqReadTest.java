package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.PgmqSession.Refusal;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqReadTest {

    @Test
    void returnsMessagesWithTheirNewValues(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '{\"total\": 12}', '{\"h\": 1}'::jsonb)");

        assertThat(db.text("""
                        select format('%s %s %s %s', r.msg_id, r.read_ct, r.message, r.headers)
                        from pgmq.read('orders', 30, 1) r
                        where r.vt = r.last_read_at + interval '30 s'
                          and r.last_read_at between now() and clock_timestamp()
                          and r.enqueued_at < now()
                        """)).isEqualTo("1 1 {\"total\": 12} {\"h\": 1}");
        assertThat(db.longs("select read_ct from pgmq.q_orders where vt > now() and last_read_at is not null"))
                .containsExactly(1L);
    }

    @Test
    void hidesWhatItReturned(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '{}')");

        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 1)")).containsExactly(1L);
        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 1)")).isEmpty();
    }

    @Test
    void returnsAMessageAgainOnceItsTimeIsOver(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '{}')");
        db.run("select pgmq.read('orders', 30, 1)");

        db.run("update pgmq.q_orders set vt = clock_timestamp()");

        assertThat(db.longs("select read_ct from pgmq.read('orders', 30, 1)")).containsExactly(2L);
    }

    @Test
    void takesTheLowestIdsFirst(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array(select to_jsonb(i) from generate_series(1, 9) i))");
        db.run("update pgmq.q_orders set vt = now() - msg_id * interval '1 s'"); // by vt it would be the other way
        // round
        db.run("select pgmq.set_vt('orders', 2, 60)");

        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 3)")).containsExactly(1L, 3L, 4L);
        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 99)")).containsExactly(5L, 6L, 7L, 8L, 9L);
    }

    @Test
    void takesTheLowestIdsFirstOfVeryManyToo(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array(select to_jsonb(i) from generate_series(1, 5000) i))");
        db.run("update pgmq.q_orders set vt = now() - msg_id * interval '1 s'");
        db.run("select pgmq.set_vt('orders', 2, 60)");

        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 3)")).containsExactly(1L, 3L, 4L);
        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 9999)"))
                .hasSize(4996)
                .isSorted();
        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 9999)")).isEmpty();
    }

    @Test
    void skipsWhatAnotherTransactionHolds(PgmqSession db, PgmqSession other) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', '2', '3']::jsonb[])");
        db.run("set lock_timeout = '1ms'");
        other.begin();
        assertThat(other.longs("select msg_id from pgmq.read('orders', 30, 2)")).containsExactly(1L, 2L);

        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 10)")).containsExactly(3L);
        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 10)")).isEmpty();

        other.rollback();
        assertThat(db.longs("select read_ct from pgmq.read('orders', 30, 10)"))
                .as("the reads that were rolled back never happened")
                .containsExactly(1L, 1L);
    }

    @Test
    void leavesAMessageVisibleForATimeoutOfZeroOrLess(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '{}')");

        assertThat(db.longs("select read_ct from pgmq.read('orders', 0, 1)")).containsExactly(1L);
        assertThat(db.longs("select read_ct from pgmq.read('orders', -5, 1)")).containsExactly(2L);
        assertThat(db.longs("select read_ct from pgmq.read('orders', 30, 1)")).containsExactly(3L);
    }

    @Test
    void refusesANullTimeout(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '{}')");

        assertThat(db.refusal("select pgmq.read('orders', null, 1)").state()).isEqualTo("23502");
    }

    @Test
    void takesAQuantityOfZeroForNothing(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '{}')");

        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 0)")).isEmpty();
    }

    @Test
    void refusesANegativeOrMissingQuantity(PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.read('orders', 30, -1)"))
                .isEqualTo(new Refusal("2201W", "LIMIT must not be negative"));
        assertThat(db.refusal("select pgmq.read('orders', 30, null)"))
                .isEqualTo(new Refusal("22004", "qty must not be NULL"));
    }

    @Test
    void takesOnlyMessagesThatContainTheCondition(PgmqSession db) throws SQLException {
        db.run(
                "select pgmq.send_batch('orders', array['{\"a\": 1}', '{\"a\": 2, \"b\": 3}', '{\"a\": 2}', null]::jsonb[])");

        assertThat(db.longs("select msg_id from pgmq.read('orders', 0, 10, '{\"a\": 2}')"))
                .containsExactly(2L, 3L);
        assertThat(db.longs("select msg_id from pgmq.read('orders', 0, 1, conditional => '{\"a\": 2}')"))
                .containsExactly(2L);
        assertThat(db.longs("select msg_id from pgmq.read('orders', 0, 10, '{\"c\": 1}')"))
                .isEmpty();
        assertThat(db.longs("select msg_id from pgmq.read('orders', 0, 10, '{}')"))
                .hasSize(4);
        assertThat(db.longs("select msg_id from pgmq.read('orders', 0, 10, null)"))
                .hasSize(4);
    }

    @Test
    void usesTheWallClockWithinATransaction(PgmqSession db) throws SQLException {
        db.begin();
        db.run("select pgmq.send('orders', '{}')");

        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 1)")).containsExactly(1L);
        db.rollback();
    }
}
