package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.PgmqSession.Refusal;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqEnableNotifyTest {

    private static final String THROTTLES =
            "select format('%s %s %s', queue_name, throttle_interval_ms, extract(epoch from last_notified_at)::bigint)"
                    + " from pgmq.list_notify_insert_throttles()";
    private static final String TRIGGERS =
            "select oid from pg_trigger where tgname = 'trigger_notify_queue_insert_listeners'"
                    + " and tgrelid = 'pgmq.q_orders'::regclass";

    @Test
    void addsTheTriggerAndAThrottleThatIsDue(PgmqSession db) throws SQLException {
        db.run("select pgmq.enable_notify_insert('orders')");

        assertThat(db.texts(THROTTLES)).containsExactly("orders 250 0");
        assertThat(db.longs(TRIGGERS)).hasSize(1);
    }

    @Test
    void againChangesTheIntervalAlone(PgmqSession db) throws SQLException {
        db.run("select pgmq.enable_notify_insert('orders', 250)");
        var trigger = db.longs(TRIGGERS);

        db.run("select pgmq.enable_notify_insert(queue_name => 'orders', throttle_interval_ms => 500)");

        assertThat(db.texts(THROTTLES)).containsExactly("orders 500 0");
        assertThat(db.longs(TRIGGERS)).isEqualTo(trigger);
    }

    @Test
    void againChangesNothingAndWaitsForNobody(PgmqSession db, PgmqSession sender) throws SQLException {
        db.run("select pgmq.enable_notify_insert('orders', 250)");
        db.run("update pgmq.notify_insert_throttle set last_notified_at = to_timestamp(7)");
        sender.begin();
        sender.run("select pgmq.send('orders', '{}')");
        db.run("set lock_timeout = '100ms'");

        db.run("select pgmq.enable_notify_insert('orders', 250)");

        sender.rollback();
        assertThat(db.texts(THROTTLES)).containsExactly("orders 250 7");
    }

    @Test
    void mendsAMissingThrottleAndAnUnfitTrigger(PgmqSession db) throws SQLException {
        db.run("select pgmq.enable_notify_insert('orders', 250)");
        var trigger = db.longs(TRIGGERS);
        db.run("delete from pgmq.notify_insert_throttle");
        db.run("alter table pgmq.q_orders disable trigger trigger_notify_queue_insert_listeners");

        db.run("select pgmq.enable_notify_insert('orders', 250)");

        assertThat(db.texts(THROTTLES)).containsExactly("orders 250 0");
        assertThat(db.longs(TRIGGERS)).hasSize(1).isNotEqualTo(trigger);
        assertThat(db.texts("select tgenabled from pg_trigger where oid in (" + TRIGGERS + ")"))
                .containsExactly("O");
    }

    @Test
    void atOnceFromTwoSessionsWaitsInsteadOfFailing(PgmqSession one, PgmqSession other) throws Exception {
        one.run("select pgmq.enable_notify_insert('orders', 250)");
        one.run("drop trigger trigger_notify_queue_insert_listeners on pgmq.q_orders");
        one.begin();
        one.run("select pgmq.enable_notify_insert('orders', 250)");
        var trigger = one.longs(TRIGGERS);

        var second = other.later("select pgmq.enable_notify_insert('orders', 250)");
        one.awaitLockWaitOf(other);
        one.commit();

        assertThat(second.get(30, TimeUnit.SECONDS)).isEmpty(); // the text of void, and no SQLSTATE
        assertThat(one.longs(TRIGGERS)).hasSize(1).isEqualTo(trigger);
    }

    @Test
    void refusesWhatItCannotEnable(PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.enable_notify_insert('orders', -1)"))
                .isEqualTo(new Refusal("P0001", "throttle_interval_ms must be non-negative"));
        assertThat(db.refusal("select pgmq.enable_notify_insert('nowhere', 250)"))
                .isEqualTo(
                        new Refusal("P0001", "Queue \"nowhere\" does not exist. Create it first using pgmq.create()"));
        assertThat(db.refusal("select pgmq.enable_notify_insert('orders', null)")
                        .state())
                .isEqualTo("23502");
        assertThat(db.longs(TRIGGERS)).isEmpty();
    }

    @Test
    void undoneByDisablingRemovesTriggerAndThrottle(PgmqSession db) throws SQLException {
        db.run("select pgmq.enable_notify_insert('orders', 250)");

        db.run("select pgmq.disable_notify_insert('orders')");

        assertThat(db.longs(TRIGGERS)).isEmpty();
        assertThat(db.texts(THROTTLES)).isEmpty();
    }

    @Test
    void undoneWhereItWasNotDoneIsANotice(PgmqSession db) throws SQLException {
        assertThat(db.notices("select pgmq.disable_notify_insert('orders')")).hasSize(1);
        assertThat(db.notices("select pgmq.disable_notify_insert('nowhere')")).hasSize(1);
    }

    @Test
    void isUpdatedInPlaceWithoutATableLock(PgmqSession db, PgmqSession reader) throws SQLException {
        db.run("select pgmq.enable_notify_insert('orders', 250)");
        db.run("update pgmq.notify_insert_throttle set last_notified_at = now()");
        reader.begin();
        reader.run("lock table pgmq.q_orders");
        db.run("set lock_timeout = '100ms'");

        db.run("select pgmq.update_notify_insert('orders', 0)");

        assertThat(db.texts(THROTTLES)).containsExactly("orders 0 0");
        reader.rollback();
    }

    @Test
    void isNotUpdatedWhereItCannotBe(PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.update_notify_insert('orders', -3)"))
                .isEqualTo(new Refusal("P0001", "throttle_interval_ms must be non-negative, got: -3"));
        assertThat(db.refusal("select pgmq.update_notify_insert('nowhere', 3)"))
                .isEqualTo(new Refusal(
                        "P0001", "Queue \"nowhere\" does not exist. Create the queue first using pgmq.create()"));
        assertThat(db.refusal("select pgmq.update_notify_insert('orders', 3)"))
                .isEqualTo(new Refusal(
                        "P0001",
                        "Queue \"orders\" does not have notify_insert enabled."
                                + " Enable it first using pgmq.enable_notify_insert()"));
    }

    @Test
    void isListedByName(PgmqSession db) throws SQLException {
        db.run("select pgmq.create('b'), pgmq.create('a')");
        db.run("select pgmq.enable_notify_insert(q, 1) from unnest(array['orders', 'b', 'a']) q");

        assertThat(db.texts(THROTTLES)).containsExactly("a 1 0", "b 1 0", "orders 1 0");
    }
}
