package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqReadWithPollTest {

    @Test
    void returnsTheFirstReadThatFindsAnythingWithoutWaitingForMore(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', '2']::jsonb[])");
        db.run("set statement_timeout = '20s'");

        assertThat(
                        db.texts(
                                "select format('%s %s', message, read_ct) from pgmq.read_with_poll("
                                        + "queue_name => 'orders', vt => 30, qty => 10, max_poll_seconds => 60, poll_interval_ms => 60000)"))
                .containsExactly("1 1", "2 1");
    }

    @Test
    void findsAMessageThatArrivesDuringTheCall(PgmqSession db, PgmqSession sender) throws Exception {
        var read = db.later("select msg_id from pgmq.read_with_poll('orders', 30, 1, 60, 20)");
        sender.awaitSleepOf(db);

        sender.run("select pgmq.send('orders', '{}')");

        assertThat(read.get(30, TimeUnit.SECONDS)).isEqualTo("1");
    }

    @Test
    void takesOnlyMessagesThatContainTheCondition(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['{\"a\": 1}', '{\"a\": 2}']::jsonb[])");

        assertThat(db.longs("select msg_id from pgmq.read_with_poll('orders', 30, 9, 5, 100, '{\"a\": 2}')"))
                .containsExactly(2L);
    }

    @Test
    void checksItsDeadlineBeforeTheFirstRead(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '{}')");

        assertThat(db.longs("select msg_id from pgmq.read_with_poll('orders', 30, 1, 0)"))
                .isEmpty();
        assertThat(db.longs("select msg_id from pgmq.read_with_poll('nowhere', 30, 1, max_poll_seconds => 0)"))
                .isEmpty();
        assertThat(db.longs("select read_ct from pgmq.q_orders")).containsExactly(0L);
    }

    @Test
    void doesNotCutItsLastPauseShort(PgmqSession db) throws SQLException {
        long start = System.nanoTime();

        assertThat(db.longs("select msg_id from pgmq.read_with_poll('orders', 30, 1, 1, 1500)"))
                .isEmpty();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofMillis(1500));
    }
}
