package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** New versions of rows stay on their pages, so that no index is written to again: there is room for them, and no index has a column that changes. */
@ExtendWith(CoreDatabase.class)
class HeapOnlyUpdatesTest {
    private static final int RUNS = 2000;

    @Test
    void areNearlyAll(Flows db) {
        db.define("f", "a");
        db.run("select pgflow.start_flows('f', array(select to_jsonb(i) from generate_series(1, ?) i))", RUNS);
        db.drain("f", "1");
        db.run("select pg_stat_force_next_flush()");

        assertThat(db.lines("""
                select t.relname, t.n_tup_upd, t.n_tup_hot_upd >= 0.95 * t.n_tup_upd
                from pg_stat_user_tables t
                where t.relname in ('runs', 'step_states', 'step_tasks')
                order by t.relname""")).containsExactly("runs 2000 t", "step_states 2000 t", "step_tasks 4000 t");
    }
}
