package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqDropQueueTest {

    @Test
    void removesTheQueueItsArchiveAndItsThrottle(PgmqSession db) throws SQLException {
        db.run("select pgmq.enable_notify_insert('orders', 250)");

        assertThat(db.holds("pgmq.drop_queue('orders')")).isTrue();

        assertThat(db.holds("to_regclass('pgmq.q_orders') is null and to_regclass('pgmq.a_orders') is null"))
                .isTrue();
        assertThat(db.texts("select queue_name from pgmq.list_queues()")).isEmpty();
        assertThat(db.texts("select queue_name from pgmq.notify_insert_throttle"))
                .isEmpty();
    }

    @Test
    void removesAQueueWithCapitals(PgmqSession db) throws SQLException {
        db.run("select pgmq.create('myQueue')");

        assertThat(db.holds("pgmq.drop_queue('myQueue')")).isTrue();

        assertThat(db.holds("to_regclass('pgmq.q_myqueue') is null")).isTrue();
    }

    @Test
    void waitsForAQueueThatIsJustBeingCreated(PgmqSession one, PgmqSession other) throws Exception {
        for (var name : new String[] {"new", "newInCamelCase"}) {
            one.begin();
            one.run("select pgmq.create('" + name + "')");

            var dropped = other.later("select pgmq.drop_queue('" + name + "')");
            one.awaitLockWaitOf(other);
            one.commit();

            assertThat(dropped.get(30, TimeUnit.SECONDS)).as(name).isEqualTo("t");
        }
    }

    @Test
    void ofAMissingQueueIsANoticeAndFalse(PgmqSession db) throws SQLException {
        assertThat(db.notices("select pgmq.drop_queue('nowhere')"))
                .containsExactly("pgmq queue `nowhere` does not exist");
        assertThat(db.holds("pgmq.drop_queue('nowhere')")).isFalse();
    }

    @Test
    void inItsOldFormWarnsAndIsAlwaysTrue(PgmqSession db) throws SQLException {
        assertThat(db.holds("pgmq.drop_queue('nowhere', false)")).isTrue();
        assertThat(db.notices("select pgmq.drop_queue('orders', true)"))
                .anyMatch(notice -> notice.contains("deprecated"));
        assertThat(db.texts("select queue_name from pgmq.list_queues()")).isEmpty();
    }

    @Test
    void ofAnArchiveOnlyWarns(PgmqSession db) throws SQLException {
        assertThat(db.notices("select pgmq.detach_archive('orders')")).hasSize(1);
        assertThat(db.holds("to_regclass('pgmq.a_orders') is not null")).isTrue();
    }
}
