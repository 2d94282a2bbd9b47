package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqSendTest {

    @Test
    void storesAMessageThatIsVisibleAtOnceAndReturnsItsId(PgmqSession db) throws SQLException {
        assertThat(db.longs("select pgmq.send('orders', '{\"total\": 12}')")).containsExactly(1L);

        assertThat(db.text("select format('%s %s %s %s', message, read_ct, coalesce(headers::text, '-'),"
                        + " coalesce(last_read_at::text, '-')) from pgmq.q_orders"))
                .isEqualTo("{\"total\": 12} 0 - -");
        assertThat(db.longs("select msg_id from pgmq.q_orders where vt <= clock_timestamp()"))
                .containsExactly(1L);
    }

    @Test
    void countsItsDelayInSecondsFromTheCall(PgmqSession db) throws SQLException {
        db.begin(); // a delay that counted from the transaction's start would come out shorter
        db.run("select pg_sleep(0.02)");
        db.run("create temporary table called on commit drop as select clock_timestamp() as at");
        db.run("select pgmq.send('orders', '1', 60)");
        db.run("select pgmq.send('orders', '2', '{\"h\": 1}'::jsonb, 60)");

        assertThat(db.longs("select msg_id from pgmq.q_orders, called"
                        + " where vt - interval '60 s' between called.at and clock_timestamp() order by msg_id"))
                .containsExactly(1L, 2L);
        assertThat(db.holds("(select bool_and(enqueued_at = now()) from pgmq.q_orders)"))
                .as("enqueued_at is the transaction's start")
                .isTrue();
        db.rollback();
    }

    @Test
    void takesATimeInPlaceOfADelay(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '1', '2031-02-03 04:05:06+00'::timestamptz)");
        db.run("select pgmq.send('orders', '2', null::jsonb, '2031-02-03 04:05:06+00'::timestamptz)");

        assertThat(db.longs("select msg_id from pgmq.q_orders where vt = '2031-02-03 04:05:06+00' order by msg_id"))
                .containsExactly(1L, 2L);
    }

    @Test
    void takesTimesThatArePastAsAtOnce(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '1', -5)");
        db.run("select pgmq.send('orders', '2', '2001-01-01'::timestamptz)");

        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 5)")).containsExactly(1L, 2L);
    }

    @Test
    void storesHeadersInEachFormThatHasThem(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', '1', '{\"h\": 1}'::jsonb)");
        db.run("select pgmq.send('orders', '2', '{\"h\": 2}'::jsonb, 0)");
        db.run("select pgmq.send('orders', '3', '{\"h\": 3}'::jsonb, clock_timestamp())");

        assertThat(db.texts("select headers from pgmq.q_orders order by msg_id"))
                .containsExactly("{\"h\": 1}", "{\"h\": 2}", "{\"h\": 3}");
    }

    @Test
    void canBeCalledWithNamedArguments(PgmqSession db) throws SQLException {
        db.run("select pgmq.send(queue_name => 'orders', msg => '1')");
        db.run("select pgmq.send(queue_name => 'orders', msg => '2', delay => 0)");
        db.run("select pgmq.send(queue_name => 'orders', msg => '3', headers => '{}')");

        assertThat(db.texts("select message from pgmq.read(queue_name => 'orders', vt => 30, qty => 10)"))
                .containsExactly("1", "2", "3");
    }

    @Test
    void refusesAThirdArgumentWithoutAType(PgmqSession db) throws SQLException {
        for (var argument : List.of("'{}'", "null", "'2030-01-01'")) {
            assertThat(db.refusal("select pgmq.send('orders', '{}', " + argument + ")")
                            .message())
                    .isEqualTo("function pgmq.send(unknown, unknown, unknown) is not unique");
        }
    }

    @Test
    void storesANullMessage(PgmqSession db) throws SQLException {
        db.run("select pgmq.send('orders', null)");
        db.run("select pgmq.send('orders', 'null')");

        assertThat(db.texts("select message from pgmq.read('orders', 30, 2)")).containsExactly("null", "null");
        assertThat(db.longs("select msg_id from pgmq.q_orders where message is null"))
                .containsExactly(1L);
    }

    @Test
    void refusesANullDelay(PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.send('orders', '{}', null::integer)").state())
                .isEqualTo("23502");
        assertThat(db.refusal("select pgmq.send('orders', '{}', null::timestamptz)")
                        .state())
                .isEqualTo("23502");
    }

    @Test
    void isSeenByOthersOnlyAfterCommit(PgmqSession db, PgmqSession reader) throws SQLException {
        db.begin();
        db.run("select pgmq.send('orders', '{}')");

        assertThat(reader.longs("select msg_id from pgmq.read('orders', 30, 1)"))
                .isEmpty();
        db.commit();
        assertThat(reader.longs("select msg_id from pgmq.read('orders', 30, 1)"))
                .containsExactly(1L);
    }

    @Test
    void rolledBackLeavesAGapInTheIds(PgmqSession db) throws SQLException {
        db.begin();
        db.run("select pgmq.send('orders', '{}')");
        db.rollback();

        assertThat(db.longs("select pgmq.send('orders', '{}')")).containsExactly(2L);
    }

    @Test
    void aloneDrawsIds(PgmqSession db) throws SQLException {
        assertThat(db.refusal("insert into pgmq.q_orders (msg_id, vt) values (7, now())")
                        .message())
                .isEqualTo("cannot insert a non-DEFAULT value into column \"msg_id\"");
    }
}
