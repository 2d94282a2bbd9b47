package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class PollForTasksTest {

    @Test
    void saysThatItIsDeprecatedAndReturnsNothing(Flows db) {
        db.define("f", "a");
        db.start("f", "1");

        assertThat(db.lines("select * from pgflow.poll_for_tasks('f', 2, 10)")).isEmpty();
        assertThat(
                        db.notices(
                                "select * from pgflow.poll_for_tasks(queue_name => 'f', vt => 2, qty => 10, max_poll_seconds => 1, poll_interval_ms => 10)"))
                .singleElement()
                .satisfies(notice -> assertThat(notice.getMessage()).contains("deprecated"));
        assertThat(db.line("select read_ct from pgmq.q_f")).isEqualTo("0");
    }
}
