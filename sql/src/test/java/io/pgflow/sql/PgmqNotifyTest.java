package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqNotifyTest {

    private static final String ANNOUNCED = "pgmq.q_orders.INSERT:";

    @BeforeEach
    void everyInsertIsAnnounced(PgmqSession db) throws SQLException {
        db.run("select pgmq.enable_notify_insert('orders', 0)");
    }

    @Test
    void tellsListenersThatAMessageWasSentWithAnEmptyPayload(PgmqSession db, PgmqSession listener) throws SQLException {
        listener.listen("pgmq.q_orders.INSERT");

        db.run("select pgmq.send('orders', '{}')");
        db.run("select pgmq.send('orders', '{}', 60)"); // told at the insert, not when the delay is over

        assertThat(listener.heardFrom(db)).containsExactly(ANNOUNCED, ANNOUNCED);
    }

    @Test
    void tellsOnceForATransaction(PgmqSession db, PgmqSession listener) throws SQLException {
        listener.listen("pgmq.q_orders.INSERT");

        db.begin();
        db.run("select pgmq.send_batch('orders', array['1', '2', '3']::jsonb[])");
        db.run("select pgmq.send('orders', '4')");
        db.commit();

        assertThat(listener.heardFrom(db)).containsExactly(ANNOUNCED);
    }

    @Test
    void tellsOfMessagesThatCameWithoutSend(PgmqSession db, PgmqSession listener) throws SQLException {
        listener.listen("pgmq.q_orders.INSERT");

        db.run("insert into pgmq.q_orders (vt, message) values (now(), '{}')");

        assertThat(listener.heardFrom(db)).containsExactly(ANNOUNCED);
    }

    @Test
    void tellsTheSendersOwnSession(PgmqSession db) throws SQLException {
        db.listen("pgmq.q_orders.INSERT");

        db.run("select pgmq.send('orders', '{}')");

        assertThat(db.heardFrom(db)).containsExactly(ANNOUNCED);
    }

    @Test
    void tellsOfACapitalisedQueueUnderItsNameAsGiven(PgmqSession db, PgmqSession listener) throws SQLException {
        db.run("select pgmq.create('myQueue'), pgmq.enable_notify_insert('myQueue', 250)");
        listener.listen("pgmq.q_myQueue.INSERT");

        db.run("select pgmq.send('myQueue', '{}')");

        assertThat(listener.heardFrom(db)).containsExactly("pgmq.q_myQueue.INSERT:");
    }

    @Test
    void tellsOfAQueueWithTheLongestName(PgmqSession db, PgmqSession listener) throws SQLException {
        var name = "x".repeat(47);
        db.run("select pgmq.create('" + name + "'), pgmq.enable_notify_insert('" + name + "', 250)");
        listener.listen("pgmq.q_" + name + ".INSERT");

        db.run("select pgmq.send('" + name + "', '{}')");

        assertThat(listener.heardFrom(db)).containsExactly("pgmq.q_" + name + ".INSERT:");
    }

    @Test
    void isSilentWhereNothingWasInserted(PgmqSession db, PgmqSession listener) throws SQLException {
        db.run("select pgmq.send('orders', '{}')");
        listener.listen("pgmq.q_orders.INSERT");

        db.begin();
        db.run("select pgmq.send('orders', '{}')");
        db.rollback();
        db.run("insert into pgmq.q_orders (vt) select now() where false");
        db.run("select pgmq.set_vt('orders', 1, 60)");
        db.run("select pgmq.set_vt('orders', 1, 0)");
        db.run("select pgmq.read('orders', 0, 1)");
        db.run("select pgmq.archive('orders', 1::bigint)");

        assertThat(listener.heardFrom(db)).isEmpty();
    }

    @Test
    void isSilentForOtherQueuesAndAfterDisabling(PgmqSession db, PgmqSession listener) throws SQLException {
        db.run("select pgmq.create('other')");
        listener.listen("pgmq.q_orders.INSERT");
        listener.listen("pgmq.q_other.INSERT");

        db.run("select pgmq.send('other', '{}')");
        db.run("select pgmq.disable_notify_insert('orders')");
        db.run("select pgmq.send('orders', '{}')");

        assertThat(listener.heardFrom(db)).isEmpty();
    }

    @Test
    void needsOfASenderOnlyRightsOnTheTablesItWrites(PgmqSession db) throws SQLException {
        db.begin();
        db.run("create role pgmq_sender_of_a_test");
        db.run("grant usage on schema pgmq to pgmq_sender_of_a_test");
        db.run("grant insert, select on pgmq.q_orders to pgmq_sender_of_a_test");
        db.run("grant update, select on pgmq.notify_insert_throttle to pgmq_sender_of_a_test");
        db.run("set local role pgmq_sender_of_a_test");

        assertThat(db.longs("select pgmq.send('orders', '{}')")).containsExactly(1L);
        db.rollback();
    }
}
