package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqNotifyThrottleTest {

    private static final String ANNOUNCED = "pgmq.q_orders.INSERT:";
    private static final String SEND = "select pgmq.send('orders', '{}')";

    @BeforeEach
    void oneAnnouncementAnHour(PgmqSession db) throws SQLException {
        db.run("select pgmq.enable_notify_insert('orders', 3600000)");
    }

    @Test
    void letsTheFirstMessageOfABurstThrough(PgmqSession db, PgmqSession listener) throws SQLException {
        listener.listen("pgmq.q_orders.INSERT");

        db.run(SEND);
        assertThat(listener.heardFrom(db)).containsExactly(ANNOUNCED);

        db.run(SEND);
        db.run("select pgmq.send_batch('orders', array['1', '2']::jsonb[])");
        assertThat(listener.heardFrom(db)).isEmpty();
    }

    @Test
    void letsTheNextThroughOnceTheIntervalIsOver(PgmqSession db, PgmqSession listener) throws SQLException {
        listener.listen("pgmq.q_orders.INSERT");
        db.run(SEND);

        db.run("update pgmq.notify_insert_throttle set last_notified_at = now() - interval '3601 s'");
        db.run(SEND);
        db.run(SEND);

        assertThat(listener.heardFrom(db)).containsExactly(ANNOUNCED, ANNOUNCED);
    }

    @Test
    void isOpenAgainAfterARolledBackAnnouncement(PgmqSession db, PgmqSession listener) throws SQLException {
        listener.listen("pgmq.q_orders.INSERT");
        db.begin();
        db.run(SEND);
        db.rollback();

        db.run(SEND);

        assertThat(listener.heardFrom(db)).containsExactly(ANNOUNCED);
    }

    @Test
    void isForEachQueueItsOwn(PgmqSession db, PgmqSession listener) throws SQLException {
        db.run("select pgmq.create('other'), pgmq.enable_notify_insert('other', 3600000)");
        listener.listen("pgmq.q_other.INSERT");
        db.run(SEND);

        db.run("select pgmq.send('other', '{}')");

        assertThat(listener.heardFrom(db)).containsExactly("pgmq.q_other.INSERT:");
    }

    @Test
    void letsAllThroughWhereItsRowIsMissing(PgmqSession db, PgmqSession listener) throws SQLException {
        listener.listen("pgmq.q_orders.INSERT");
        db.run("delete from pgmq.notify_insert_throttle"); // as a crash does, since the table is not logged

        db.run(SEND);
        db.run(SEND);

        assertThat(listener.heardFrom(db)).containsExactly(ANNOUNCED, ANNOUNCED);
    }

    @Test
    void letsAMessageThroughWhereTheClockWasSetBack(PgmqSession db, PgmqSession listener) throws SQLException {
        listener.listen("pgmq.q_orders.INSERT");
        db.run("update pgmq.notify_insert_throttle set last_notified_at = now() + interval '1 day'");

        db.run(SEND);

        assertThat(listener.heardFrom(db)).containsExactly(ANNOUNCED);
    }

    @Test
    void neverWaitsForAnotherSenderAndAnnouncesInDoubt(PgmqSession db, PgmqSession slow, PgmqSession listener)
            throws SQLException {
        listener.listen("pgmq.q_orders.INSERT");
        db.run("set lock_timeout = '1ms'");
        slow.begin();
        slow.run(SEND);

        db.run(SEND); // the slow one may still roll back, and its announcement with it

        assertThat(listener.heardFrom(db)).containsExactly(ANNOUNCED);
        slow.rollback();
    }

    @Test
    void neverDeadlocksSendersToTwoQueuesInOppositeOrder(PgmqSession one, PgmqSession other) throws SQLException {
        one.run("select pgmq.create('other'), pgmq.enable_notify_insert('other', 3600000)");
        one.run("set lock_timeout = '1ms'");
        other.run("set lock_timeout = '1ms'");
        one.begin();
        other.begin();

        one.run("select pgmq.send('orders', '{}')");
        other.run("select pgmq.send('other', '{}')");
        one.run("select pgmq.send('other', '{}')");
        other.run("select pgmq.send('orders', '{}')");
        one.commit();
        other.commit();

        assertThat(one.number("select count(*) from pgmq.q_orders")).isEqualTo(2);
        assertThat(one.number("select count(*) from pgmq.q_other")).isEqualTo(2);
    }

    @Test
    void neverFailsASenderWithAnOlderSnapshot(PgmqSession db, PgmqSession other, PgmqSession listener)
            throws SQLException {
        for (var isolation : new String[] {"repeatable read", "serializable"}) {
            listener.listen("pgmq.q_orders.INSERT");
            db.run("update pgmq.notify_insert_throttle set last_notified_at = to_timestamp(0)");
            db.begin();
            db.run("set transaction isolation level " + isolation);
            db.run("select count(*) from pgmq.notify_insert_throttle"); // takes the snapshot
            other.run(SEND);

            db.run(SEND);
            db.commit();

            assertThat(listener.heardFrom(db)).as(isolation).containsExactly(ANNOUNCED, ANNOUNCED);
        }
    }
}
