package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.PgmqSession.Refusal;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PgmqDatabase.class)
class PgmqSendBatchTest {

    @Test
    void returnsIdsInTheOrderOfTheArray(PgmqSession db) throws SQLException {
        var ids =
                db.longs("select pgmq.send_batch('orders', array(select to_jsonb(i) from generate_series(1, 5000) i))");

        assertThat(ids).isEqualTo(LongStream.rangeClosed(1, 5000).boxed().toList());
        assertThat(db.number("select count(*) from pgmq.q_orders where message = to_jsonb(msg_id)"))
                .isEqualTo(5000);
    }

    @Test
    void pairsIdsWithTheArrayByOrdinality(PgmqSession db) throws SQLException {
        var pairs = db.texts("""
                select format('%s %s', sent.msg_id, batch.bodies[sent.position])
                from (values (array['"a"', '"b"']::jsonb[], 0), (array['"c"']::jsonb[], 60)) batch (bodies, delay)
                cross join lateral pgmq.send_batch('orders', batch.bodies, batch.delay)
                    with ordinality sent (msg_id, position)
                order by sent.msg_id
                """);

        assertThat(pairs).containsExactly("1 \"a\"", "2 \"b\"", "3 \"c\"");
        assertThat(db.texts("select message from pgmq.q_orders where vt > now() + interval '50 s'"))
                .containsExactly("\"c\"");
    }

    @Test
    void delaysTheWholeBatch(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', '2']::jsonb[], 60)");
        db.run("select pgmq.send_batch('orders', array['3', '4']::jsonb[], '2031-02-03'::timestamptz)");

        assertThat(
                        db.longs(
                                "select count(*) from pgmq.q_orders where vt > now() + interval '50 s' group by vt order by vt"))
                .containsExactly(2L, 2L);
        assertThat(db.longs("select msg_id from pgmq.read('orders', 30, 10)")).isEmpty();
    }

    @Test
    void givesEachMessageItsHeadersInEachForm(PgmqSession db) throws SQLException {
        for (var delay : List.of("", ", 0", ", clock_timestamp()")) {
            db.run("select pgmq.send_batch('orders', array['1', '2']::jsonb[], array['{\"h\": 1}', null]::jsonb[]"
                    + delay + ")");
        }

        assertThat(db.texts("select format('%s %s', message, coalesce(headers::text, '-'))"
                        + " from pgmq.read('orders', 30, 10)"))
                .containsExactly("1 {\"h\": 1}", "2 -", "1 {\"h\": 1}", "2 -", "1 {\"h\": 1}", "2 -");
    }

    @Test
    void takesOneMessageWhereverItsArrayBegins(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', '[7:7]={1}'::jsonb[], '[0:0]={\"{}\"}'::jsonb[], clock_timestamp())");
        db.run("select pgmq.send_batch('orders', '{{2}}'::jsonb[])");

        assertThat(db.texts("select format('%s %s', message, coalesce(headers::text, '-'))"
                        + " from pgmq.read('orders', 30, 10)"))
                .containsExactly("1 {}", "2 -");
    }

    @Test
    void takesNullForTheHeaders(PgmqSession db) throws SQLException {
        assertThat(db.longs("select pgmq.send_batch('orders', array['1', '2']::jsonb[], null::jsonb[])"))
                .containsExactly(1L, 2L);
    }

    @Test
    void refusesNothingToSend(PgmqSession db) throws SQLException {
        var refusal = new Refusal("P0001", "msgs cannot be NULL or empty");

        assertThat(db.refusal("select pgmq.send_batch('orders', null)")).isEqualTo(refusal);
        assertThat(db.refusal("select pgmq.send_batch('orders', array[]::jsonb[], 5)"))
                .isEqualTo(refusal);
    }

    @Test
    void refusesHeadersOfAnotherLength(PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.send_batch('orders', array['1', '2']::jsonb[], array['{}']::jsonb[])"))
                .isEqualTo(new Refusal("P0001", "headers array length (1) must match msgs array length (2)"));
        assertThat(db.refusal("select pgmq.send_batch('orders', array['1']::jsonb[], array['{}', '{}']::jsonb[])"))
                .isEqualTo(new Refusal("P0001", "headers array length (2) must match msgs array length (1)"));
    }

    @Test
    void storesNullElementsAsNullMessages(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array['1', null]::jsonb[])");

        assertThat(db.longs("select msg_id from pgmq.q_orders where message is null"))
                .containsExactly(2L);
    }

    @Test
    void flattensArraysOfArrays(PgmqSession db) throws SQLException {
        db.run("select pgmq.send_batch('orders', array[array['1', '2'], array['3', '4']]::jsonb[])");

        assertThat(db.texts("select message from pgmq.q_orders order by msg_id"))
                .containsExactly("1", "2", "3", "4");
    }

    @Test
    void refusesANullDelay(PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.send_batch('orders', array['1']::jsonb[], null::integer)")
                        .state())
                .isEqualTo("23502");
    }

    @Test
    void canBeCalledWithNamedArguments(PgmqSession db) throws SQLException {
        assertThat(db.longs("select pgmq.send_batch(queue_name => 'orders', msgs => array['1']::jsonb[], delay => 0)"))
                .containsExactly(1L);
        assertThat(db.longs("select pgmq.send_batch(queue_name => 'orders', msgs => array['1']::jsonb[],"
                        + " headers => array['{}']::jsonb[])"))
                .containsExactly(2L);
    }
}
