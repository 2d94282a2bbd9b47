package io.pgflow.sql;

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
class EndingsTest {

    /** A completed run, and one whose first step is completed. */
    @BeforeEach
    void runs(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b: a
                """);
        db.start("f", "1");
        db.drain("f", "2");
        db.start("f", "1");
        db.complete(db.claimOne("f"), "2");
    }

    @Test
    void areOneForEachThatEnded(DataSource database) {
        assertThatCode(() -> Invariants.check(database)).doesNotThrowAnyException();
    }

    @Test
    void areMissingWhereSomethingIsLeftToDo(Flows db, DataSource database) {
        assertThatThrownBy(() -> Invariants.checkEnded(database)).hasMessageContaining("of f has not ended");

        db.fail(db.claimOne("f"), "no");

        assertThatCode(() -> Invariants.checkEnded(database)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @Tampering
    @CsvSource(
            delimiter = '|',
            value = {
                """
                update runs set status = 'started' where status = 'completed'; update runs set status = 'completed' where remaining_steps = 0 \
                | is completed, but its endings are: started-completed, completed-started, started-completed""",
                """
                update step_tasks set status = 'queued' where step_slug = 'b' and status = 'completed' \
                | b 0 is queued, but its endings are: started-completed, completed-queued""",
                "update step_tasks set status = 'failed' where step_slug = 'a' | a 0 is failed, but its endings are: started-completed, completed-failed",
                """
                update step_states set status = 'started' where step_slug = 'a'; update step_states set status = 'failed' where step_slug = 'a' \
                | a is failed, but its endings are: started-completed, completed-started, started-failed""",
                "set session_replication_role to replica; update step_tasks set status = 'completed' | b 0 is completed, but its endings are: none",
            })
    void tellOfWhateverEndedTwiceOrNeverOrWentOn(String tampering, String breach, Flows db, DataSource database) {
        db.run("set search_path to pgflow");
        db.run("alter table runs drop constraint if exists completed_at_or_failed_at");
        db.run("alter table step_states drop constraint if exists output_only_for_completed_or_null");
        db.run("alter table step_tasks drop constraint if exists output_valid_only_for_completed");
        db.run(tampering);
        db.run("reset session_replication_role; reset search_path");

        assertThatThrownBy(() -> Invariants.check(database))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(breach);
    }
}
