package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqMetricsTest {

    private static final String FIELDS =
            "select format('%s length=%s newest=%s oldest=%s total=%s visible=%s', queue_name,"
                    + " queue_length, newest_msg_age_sec, oldest_msg_age_sec, total_messages, queue_visible_length) from ";

    @Test
    void countAndDateTheMessages(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', '2', '3', '4']::jsonb[])");
        db.run("select pgmq.delete('orders', 1::bigint)");
        db.run("select pgmq.set_vt('orders', 2, 60)");
        db.begin();
        db.run("update pgmq.q_orders set enqueued_at = now() - msg_id * interval '10.2 s'");

        assertThat(db.text(FIELDS + "pgmq.metrics('orders') where scrape_time = now()"))
                .isEqualTo("orders length=3 newest=20 oldest=41 total=4 visible=2");
        db.rollback();
    }

    @Test
    void ofAnUnusedQueueAreZeroAndNull(PgmqSession db) throws SQLException {
        assertThat(db.text(FIELDS + "pgmq.metrics('orders')"))
                .isEqualTo("orders length=0 newest= oldest= total=0 visible=0");
    }

    @Test
    void countIdsThatWereRolledBackOrPurged(PgmqSession db) throws SQLException {
        db.begin();
        db.run("select pgmq.send('orders', '{}')");
        db.rollback();
        db.run("select pgmq.send('orders', '{}')");
        db.run("select pgmq.purge_queue('orders')");

        assertThat(db.number("select total_messages from pgmq.metrics('orders')"))
                .isEqualTo(2);
    }

    @Test
    void ofAllQueuesAreARowForEach(PgmqSession db) throws SQLException {
        db.run("select pgmq.create('myQueue')");
        db.run("select pgmq.send('myQueue', '{}')");

        assertThat(
                        db.texts(
                                "select queue_name || ' ' || queue_length from pgmq.metrics_all() order by queue_name collate \"C\""))
                .containsExactly("myQueue 1", "orders 0");
    }

    @Test
    void ofAllQueuesFailWhereATableIsMissing(PgmqSession db) throws SQLException {
        db.run("drop table pgmq.q_orders");

        assertThat(db.refusal("select pgmq.metrics_all()").state()).isEqualTo("42P01");
    }
}
