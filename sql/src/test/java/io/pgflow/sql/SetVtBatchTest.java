package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.SqlSession.Refusal;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class SetVtBatchTest {

    @BeforeEach
    void threeMessages(Flows db) {
        db.run("select pgmq.create('orders')");
        db.run("select pgmq.send_batch('orders', array['1', '2', '3']::jsonb[])");
    }

    @Test
    void setsTheTimeOfEachMessage(Flows db) {
        db.run("select pgflow.set_vt_batch('orders', array[3, 1]::bigint[], array[300, 100])");

        assertThat(db.hiddenFor("orders", 1)).isBetween(98L, 100L);
        assertThat(db.hiddenFor("orders", 2)).isZero();
        assertThat(db.hiddenFor("orders", 3)).isBetween(298L, 300L);
    }

    @Test
    void countsFromTheClockAlsoBackwards(Flows db) {
        db.begin();
        db.run("select pg_sleep(0.01)");
        db.run("select pgflow.set_vt_batch('orders', array[1, 2]::bigint[], array[0, -60])");

        assertThat(
                        db.holds(
                                "bool_and(case msg_id when 1 then vt > now() when 2 then vt < now() else true end) from pgmq.q_orders"))
                .isTrue();
        db.rollback();
    }

    @Test
    void returnsTheMessagesWithTheirSixColumns(Flows db) {
        db.run("select pgmq.send('orders', '4', '{\"h\": 1}'::jsonb)");

        assertThat(db.lines("""
                        select msg_id, read_ct, enqueued_at <= now(), vt > now(), message, headers
                        from pgflow.set_vt_batch(queue_name => 'orders', msg_ids => array[4, 1]::bigint[], vt_offsets => array[9, 9]) order by 1""")).containsExactly("1 0 t t 1 -", "4 0 t t 4 {\"h\": 1}");
        assertThat(db.lines("select * from pgflow.set_vt_batch('orders', array[1]::bigint[], array[1])")
                        .getFirst()
                        .split(" ", -1))
                .as("times have a space in them")
                .hasSize(8);
    }

    @Test
    void passesUnknownIdsOver(Flows db) {
        assertThat(
                        db.lines(
                                "select msg_id from pgflow.set_vt_batch('orders', array[77, 2, null]::bigint[], array[1, 2, 3])"))
                .containsExactly("2");
    }

    @Test
    void doesNothingForNoMessages(Flows db) {
        assertThat(db.lines("select * from pgflow.set_vt_batch('orders', '{}', '{}')"))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.set_vt_batch('orders', null, array[1])"))
                .isEmpty();
        assertThat(db.lines("select * from pgflow.set_vt_batch('orders', array[1]::bigint[], null)"))
                .isEmpty();
    }

    @Test
    void refusesArraysOfDifferentLengths(Flows db) {
        assertThat(db.refusal("select pgflow.set_vt_batch('orders', array[1, 2]::bigint[], array[1])"))
                .isEqualTo(new Refusal("P0001", "msg_ids length (2) must equal vt_offsets length (1)"));
        assertThat(db.refusal("select pgflow.set_vt_batch('orders', '{}', array[1])")
                        .message())
                .isEqualTo("msg_ids length (<NULL>) must equal vt_offsets length (1)");
        assertThat(db.refusal("select pgflow.set_vt_batch('orders', array[1]::bigint[], '{}')")
                        .message())
                .isEqualTo("msg_ids length (1) must equal vt_offsets length (<NULL>)");
    }

    @Test
    void refusesAnUnknownQueue(Flows db) {
        assertThat(db.refusal("select pgflow.set_vt_batch('nobody', array[1]::bigint[], array[1])"))
                .isEqualTo(new Refusal("42P01", "relation \"pgmq.q_nobody\" does not exist"));
    }

    @Test
    void takesTheNameOfTheQueueForANameAndNothingElse(Flows db) {
        assertThat(db.refusal("select pgflow.set_vt_batch('orders\" set vt = now() --', array[1]::bigint[], array[1])")
                        .state())
                .isIn("42P01", "P0001");
        assertThat(db.refusal("select pgflow.set_vt_batch('Orders q', array[1]::bigint[], array[1])")
                        .message())
                .isEqualTo("relation \"pgmq.q_orders q\" does not exist");
        assertThat(db.lines("select msg_id from pgflow.set_vt_batch('ORDERS', array[1]::bigint[], array[1])"))
                .as("queue tables are in lower case")
                .containsExactly("1");
    }

    /** Whoever needs several messages takes them in the order of their ids, whatever the order of the array. */
    @Test
    void locksMessagesInTheOrderOfTheirIds(Flows db, Flows other) {
        other.begin();
        other.run("select from pgmq.q_orders where msg_id = 1 for update");

        var setting = Background.start(
                db,
                session -> session.lines(
                        "select msg_id from pgflow.set_vt_batch('orders', array[3, 2, 1]::bigint[], array[1, 1, 1])"));
        setting.awaitLock(other);
        other.run("select from pgmq.q_orders where msg_id = 3 for update nowait");
        other.commit();

        assertThat(setting.result()).hasSize(3);
    }

    @Test
    void setsTheTimeOfAMessageThatSomebodyElseHasJustSet(Flows db, Flows other) {
        other.begin();
        other.run("select from pgflow.set_vt_batch('orders', array[1]::bigint[], array[30])");

        var setting = Background.start(
                db,
                session -> session.lines(
                        "select msg_id from pgflow.set_vt_batch('orders', array[1]::bigint[], array[3600])"));
        setting.awaitLock(other);
        other.commit();

        assertThat(setting.result()).containsExactly("1");
        assertThat(db.hiddenFor("orders", 1)).isGreaterThan(3_500);
    }
}
