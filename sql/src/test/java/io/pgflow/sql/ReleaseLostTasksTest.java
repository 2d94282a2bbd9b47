package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class ReleaseLostTasksTest {

    @Test
    void handsBackWhatTheWorkerDoesNotKnowWithoutChargingTheAttempt(Flows db) {
        db.define("f", "max_attempts => 1", "m map");
        db.start("f", "[1, 2, 3, 4]");
        var known = db.claim("f", 2);
        var lost = db.claim("f", 1).getFirst();

        assertThat(db.releaseLost("f", known)).isEqualTo(1);

        assertThat(db.task(lost, "status, attempts_count, claim_no, started_at, last_worker_id, requeued_count"))
                .isEqualTo("queued 0 1 - - 0");
        assertThat(db.lines("select status from pgflow.step_tasks order by task_index"))
                .containsExactly("started", "started", "queued", "queued");
        assertThat(Flows.names(db.claim("f", 10))).as("visible at once").containsExactlyInAnyOrder("m[2]", "m[3]");
        assertThat(db.releaseLost("f", known)).isEqualTo(2);
    }

    @Test
    void leavesOtherWorkersAndOtherFlowsAlone(Flows db) {
        var other = UUID.randomUUID();
        db.run("select pgflow.register_worker(?, 'f', 'tests')", other);
        db.define("f", "a");
        db.define("g", "a");
        db.start("f", "1");
        db.start("g", "1");
        db.claim("f", 1, other);
        db.claimOne("g");

        assertThat(db.releaseLost("f", List.of())).isZero();
        assertThat(db.releaseLost("g", List.of())).isEqualTo(1);
    }

    @Test
    void leavesWhatHasEndedAlone(Flows db) {
        db.define("f", "base_delay => 0", "m map");
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 2);
        db.complete(tasks.get(0), "1");
        db.fail(tasks.get(1), "again");

        assertThat(db.releaseLost("f", List.of())).isZero();

        assertThat(db.tasks(run)).containsExactly("m[0] completed 1 1 -", "m[1] queued 1 - again");
    }

    /** It has failed, was claimed again, and the answer to that was lost. */
    @Test
    void tellsAClaimFromAnEarlierOneOfTheSameTask(Flows db) {
        db.define("f", "base_delay => 0", "a");
        db.start("f", "1");
        var first = db.claimOne("f");
        db.fail(first, "again");
        var second = db.claimOne("f");

        assertThat(db.releaseLost("f", List.of(second))).isZero();
        assertThat(db.releaseLost("f", List.of(first))).isEqualTo(1);
        assertThat(db.claimOne("f").attempt()).isEqualTo(2);
    }

    /** The server goes on with a statement whose client is gone. */
    @Test
    void waitsForAClaimThatIsStillUnderWay(Flows lost, Flows db) {
        lost.define("f", "a");
        lost.start("f", "1");
        lost.run("begin");
        lost.claimOne("f");

        var releasing = Background.start(db, session -> session.releaseLost("f", List.of()));
        releasing.awaitLock(lost);
        lost.run("commit");

        assertThat(releasing.result()).isEqualTo(1);
    }

    @Test
    void letsClaimsPassEachOther(Flows one, Flows other) {
        one.define("f", "m map");
        one.start("f", "[1, 2]");
        one.run("begin");
        one.claim("f", 1);

        assertThat(Flows.names(other.claim("f", 2))).containsExactly("m[1]");

        one.run("rollback");
    }
}
