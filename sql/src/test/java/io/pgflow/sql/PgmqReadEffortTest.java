package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Counts the rows that a read looks at, since its time says little on a busy machine. */
@ExtendWith(PgmqDatabase.class)
class PgmqReadEffortTest {

    private static final String SEND_20000_HIDDEN =
            "select count(*) from pgmq.send_batch('orders', array(select to_jsonb(i) from generate_series(1, 20000) i), 3600)";
    private static final String SHOW_ALL = "update pgmq.q_orders set vt = clock_timestamp()";

    /** Rows of the queue fetched by the given statement, by any kind of scan. */
    private static long rowsFetchedBy(PgmqSession db, String sql) throws SQLException {
        var fetched = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'q_orders'";
        db.begin();
        long before = db.number(fetched);
        db.run(sql);
        long rows = db.number(fetched) - before;
        db.rollback();
        return rows;
    }

    @Test
    void isNothingWhereAllMessagesAreHidden(PgmqSession db) throws SQLException {
        db.run(SEND_20000_HIDDEN);

        assertThat(rowsFetchedBy(db, "select pgmq.read('orders', 30, 10)")).isZero();
    }

    @Test
    void isSmallWhereAFewAreVisibleBehindManyHidden(PgmqSession db) throws SQLException {
        db.run(SEND_20000_HIDDEN);
        db.run("update pgmq.q_orders set vt = clock_timestamp() where msg_id > 19900");

        assertThat(rowsFetchedBy(db, "select pgmq.read('orders', 30, 10)")).isLessThan(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "analyze pgmq.q_orders; " + SEND_20000_HIDDEN + "; " + SHOW_ALL, // believes that it is empty
                SEND_20000_HIDDEN + "; analyze pgmq.q_orders; " + SHOW_ALL, // believes that all are hidden
                SEND_20000_HIDDEN + "; " + SHOW_ALL + "; analyze pgmq.q_orders", // knows
            })
    void isBoundedWhereAllAreVisibleWhateverThePlannerBelieves(String preparation, PgmqSession db) throws SQLException {
        db.run("alter table pgmq.q_orders set (autovacuum_enabled = false)");
        db.run(preparation);

        assertThat(rowsFetchedBy(db, "select pgmq.read('orders', 30, 10)")).isLessThan(1_500);
        assertThat(rowsFetchedBy(db, "select pgmq.pop('orders', 10)")).isLessThan(1_500);
    }
}
