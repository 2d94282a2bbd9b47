package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.sql.CoreDatabase.Tampering;
import io.pgflow.testing.Invariants;
import io.pgflow.testing.TestDatabases;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith({CoreDatabase.class, TestDatabases.class})
class InvariantsTest {

    /** A started run with a step of each status but failed, a completed run and a failed one. */
    @BeforeEach
    void runs(Flows db) {
        db.define("f", """
                a
                m map: a
                skipped: a | required_input_pattern => '{"a": {}}'
                z: m, skipped
                """);
        db.start("f", "1");
        db.complete(db.claimOne("f"), "[1, 2, 3]");
        db.complete(db.claim("f", "m[1]"), "\"done\"");
        db.define("g", "max_attempts => 1", "a");
        db.start("g", "1");
        db.drain("g", "2");
        db.start("g", "3");
        db.fail(db.claimOne("g"), "no");
    }

    @Test
    void holdWhereNobodyTampered(DataSource database) {
        assertThatCode(() -> Invariants.check(database)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @Tampering
    @CsvSource(
            delimiter = '|',
            value = {
                "update step_states set remaining_tasks = 1 where step_slug = 'm'     | m: remaining_tasks is 1, open tasks are 2",
                "update step_states set remaining_deps = 2 where step_slug = 'z'      | z: remaining_deps is 2 with 1 of 2 settled",
                "update step_states set remaining_deps = 0 where step_slug = 'z'      | z: ready but not started",
                "update step_tasks set status = 'completed' where task_index = 2      | m: remaining_tasks is 2, open tasks are 1",
                "update step_tasks set claim_no = 0 where task_index = 1              | m: 1 tasks completed without a claim",
                "delete from step_tasks where task_index = 1                          | m: 2 tasks, not 3",
                "update runs set remaining_steps = 3 where flow_slug = 'f'            | remaining_steps is 3, open steps are 2",
                "update runs set status = 'completed', completed_at = now() where flow_slug = 'f' | completed with 2 open steps",
                "update runs set status = 'started', failed_at = null where status = 'failed' | started with 1 failed steps",
                "update runs set status = 'started', completed_at = null where status = 'completed' | started with 0 open steps",
                "update step_states set status = 'created', remaining_tasks = null, started_at = null where step_slug = 'm' | started, but none of its steps is",
                "delete from pgmq.q_f where msg_id = 2                                | m 0 is open, but has no message",
                "delete from pgmq.q_f                                                 | m 2 is open, but has no message",
                "insert into pgmq.q_f (vt, message) select vt, message from pgmq.q_f  | m 0 has message 5, but is not open",
                "insert into pgmq.q_g (vt, message) select vt, message from pgmq.a_g  | a 0 has message 3, but is not open",
                "insert into pgmq.q_g (vt, message) values (now(), null)              | has message 3, but is not open",
                "insert into pgmq.a_f (msg_id, vt, message) select msg_id, vt, message from pgmq.q_f | message 2 is both in queue and archive",
            })
    void saysWhatContradicts(String tampering, String breach, Flows db, DataSource database) {
        db.run("set search_path to pgflow");
        db.run(tampering);
        db.run("reset search_path");

        assertThatThrownBy(() -> Invariants.check(database))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(breach);
        assertThat(db.number("select count(*) from pgflow.runs")).isEqualTo(3);
    }
}
