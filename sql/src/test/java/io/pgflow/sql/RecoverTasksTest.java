package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.UUID;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(CoreDatabase.class)
class RecoverTasksTest {
    private static final UUID OTHER = UUID.fromString("22222222-2222-2222-2222-222222222222");

    private static List<String> recover(Flows db) {
        return db.lines(
                "select flow_slug, step_slug, task_index, outcome, worker_id from pgflow.recover_tasks() order by 1, 2, 3");
    }

    private static void registerOther(Flows db, String interval) {
        db.run("select pgflow.register_worker(?, 'f', 'tests', ?::interval)", OTHER, interval);
    }

    /** Claims and lets the timeout pass, so that recovery puts the task back: that many times. */
    private static void requeue(Flows db, String flow, int times) {
        for (int i = 0; i < times; i++) {
            db.backdate(db.claimOne(flow), 1000);
            assertThat(recover(db)).hasSize(1).allMatch(line -> line.contains(" requeued "));
        }
    }

    @Test
    void putsBackATaskThatIsOverdue(Flows db) {
        db.define("f", "timeout => 10", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        db.backdate(task, 41);

        assertThat(
                        db.lines(
                                "select r.*, extract(epoch from now() - r.since)::int / 10 from (select * from pgflow.recover_tasks()) r"))
                .singleElement(InstanceOfAssertFactories.STRING)
                .startsWith("f %s a 0 %s requeued ".formatted(run, Flows.WORKER))
                .endsWith(" - - 4");

        assertThat(
                        db.task(
                                task,
                                "status, attempts_count, claim_no, started_at, last_worker_id, requeued_count, last_requeued_at is not null"))
                .isEqualTo("queued 1 1 - - 1 t");
        assertThat(db.claim("f", 10))
                .as("visible at once")
                .extracting(Flows.Task::attempt)
                .containsExactly(2);
    }

    @Test
    void leavesATaskThatHasTime(Flows db) {
        db.define("f", "timeout => 10", "a");
        db.start("f", "1");
        var task = db.claimOne("f");
        db.backdate(task, 35);

        assertThat(recover(db)).isEmpty();
        assertThat(db.task(task, "status, requeued_count")).isEqualTo("started 0");
        assertThat(db.claim("f", 10)).isEmpty();
    }

    @Test
    void goesByTheTimeoutOfTheStep(Flows db) {
        db.define("f", "timeout => 10", """
                long | timeout => 1000
                short | timeout => 1
                """);
        db.start("f", "1");
        db.claim("f", 10).forEach(task -> db.backdate(task, 35));

        assertThat(recover(db)).containsExactly("f short 0 requeued " + Flows.WORKER);
    }

    @Test
    void goesByTheTimeoutAsItIsNow(Flows db) {
        db.define("f", "timeout => 1000", "a");
        db.start("f", "1");
        db.backdate(db.claimOne("f"), 100);
        db.run("update pgflow.flows set opt_timeout = 10");

        assertThat(recover(db)).hasSize(1);
    }

    @Test
    void leavesQueuedTasksAlone(Flows db) {
        db.define("f", "base_delay => 500", "m map");
        db.start("f", "[1, 2]");
        var task = db.claim("f", 1).getFirst();
        db.fail(task, "no");
        db.run("update pgflow.step_tasks set queued_at = queued_at - interval '1 day'");

        assertThat(recover(db)).isEmpty();
        assertThat(db.hiddenFor("f", 1)).as("the retry waits").isBetween(990L, 1000L);
    }

    @Test
    void putsBackTheTasksOfAWorkerThatHasStopped(Flows db) {
        registerOther(db, "1 hour");
        db.define("f", "m map");
        db.start("f", "[1, 2]");
        db.claim("f", 1, OTHER);
        db.claim("f", 1);
        assertThat(recover(db)).isEmpty();

        db.run("select pgflow.mark_worker_stopped(?)", OTHER);

        assertThat(recover(db)).containsExactly("f m 0 requeued " + OTHER);
        assertThat(db.lines("select status, last_worker_id from pgflow.step_tasks order by task_index"))
                .containsExactly("queued -", "started " + Flows.WORKER);
    }

    @Test
    void putsBackTheTasksOfAWorkerThatMissedThreeHeartbeats(Flows db) {
        awaitTenSecondsAndMore(db); // and three intervals
        registerOther(db, "10 milliseconds");
        db.define("f", "m map");
        db.start("f", "[1, 2]");
        db.claim("f", 1, OTHER);
        db.claim("f", 1);
        db.run("update pgflow.workers set last_heartbeat_at = clock_timestamp() - interval '1 minute'");

        assertThat(recover(db)).as("the other worker promised nothing").containsExactly("f m 0 requeued " + OTHER);
    }

    /** As long as the server must have been up. */
    private static void awaitTenSecondsAndMore(Flows db) {
        db.run(
                "select pg_sleep(greatest(0, 10.1 - extract(epoch from clock_timestamp() - pg_postmaster_start_time())))");
    }

    @ParameterizedTest
    @CsvSource({"1 hour, 2 hours", "10 seconds, 0 seconds"})
    void trustsAWorkerThatBeatInTime(String interval, String ago, Flows db) {
        registerOther(db, interval);
        db.define("f", "a");
        db.start("f", "1");
        db.claim("f", 1, OTHER);
        db.run("update pgflow.workers set last_heartbeat_at = clock_timestamp() - ?::interval", ago);

        assertThat(recover(db)).isEmpty();
    }

    @Test
    void trustsEveryWorkerForAWhileAfterTheServerWasRestarted(Flows db) {
        registerOther(db, "1 day"); // the server is younger than that
        db.define("f", "a");
        db.start("f", "1");
        db.claim("f", 1, OTHER);
        db.run("update pgflow.workers set last_heartbeat_at = clock_timestamp() - interval '10 days'");

        assertThat(recover(db)).isEmpty();
    }

    @Test
    void neverJudgesAWorkerByHeartbeatsThatItDidNotPromise(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        db.claimOne("f");
        db.run("update pgflow.workers set last_heartbeat_at = clock_timestamp() - interval '10 days'");

        assertThat(recover(db)).isEmpty();
    }

    @Test
    void putsATaskBackThreeTimesAndThenFailsItForGood(Flows db) {
        db.define("f", "max_attempts => 99", """
                a
                b: a
                """);
        var run = db.start("f", "1");
        requeue(db, "f", 3);
        db.backdate(db.claimOne("f"), 1000);

        assertThat(
                        db.lines(
                                "select flow_slug, run_id, step_slug, task_index, worker_id, outcome from pgflow.recover_tasks()"))
                .containsExactly("f %s a 0 %s failed".formatted(run, Flows.WORKER));

        assertThat(db.tasks(run))
                .containsExactly(
                        "a[0] failed 4 - Task was given up: it was started four times or more, and no worker reported its end");
        assertThat(db.line(
                        "select requeued_count, failed_at is not null, permanently_stalled_at from pgflow.step_tasks"))
                .isEqualTo("3 t -");
        assertThat(db.step(run, "a", "status, error_message"))
                .isEqualTo(
                        "failed Task was given up: it was started four times or more, and no worker reported its end");
        assertThat(db.run(run)).isEqualTo("failed 2");
        assertThat(db.queue("f")).isEmpty();
        assertThat(recover(db)).isEmpty();
    }

    @Test
    void letsTheStepDecideWhatFollowsFromGivingUp(Flows db) {
        db.define("f", """
                a | when_exhausted => 'skip'
                b: a
                """);
        db.define("g", """
                a | when_exhausted => 'skip-cascade'
                b: a
                """);
        var f = db.start("f", "1");
        var g = db.start("g", "1");
        requeue(db, "f", 3);
        requeue(db, "g", 3);
        for (var flow : List.of("f", "g")) db.backdate(db.claimOne(flow), 1000);

        assertThat(recover(db)).containsExactly("f a 0 failed " + Flows.WORKER, "g a 0 failed " + Flows.WORKER);
        assertThat(db.steps(f, "status, skip_reason")).containsExactly("a skipped handler_failed", "b started -");
        assertThat(db.steps(g, "status, skip_reason"))
                .containsExactly("a skipped handler_failed", "b skipped dependency_skipped");
        assertThat(db.run(g)).isEqualTo("completed 0");
    }

    @Test
    void recoversTasksOfManyFlowsAndRunsAtOnce(Flows db) {
        db.define("f", "m map");
        db.define("g", "a");
        db.start("f", "[1, 2]");
        db.start("f", "[3]");
        db.startMany("g", 2);
        db.claim("f", 10).forEach(task -> db.backdate(task, 1000));
        db.claim("g", 10).forEach(task -> db.backdate(task, 1000));

        assertThat(recover(db)).hasSize(5).allMatch(line -> line.contains(" requeued "));
        assertThat(db.claim("f", 10)).hasSize(3);
        assertThat(db.claim("g", 10)).hasSize(2);
    }

    @Test
    void putsBackSomeAndGivesUpOthersOfOneRun(Flows db) {
        db.define("f", """
                m map | when_exhausted => 'skip'
                z: m
                """);
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        db.run("update pgflow.step_tasks set requeued_count = 3 where task_index = 1");
        tasks.forEach(task -> db.backdate(task, 1000));

        var outcomes = recover(db);

        assertThat(outcomes).contains("f m 1 failed " + Flows.WORKER);
        assertThat(db.steps(run, "status, skip_reason")).containsExactly("m skipped handler_failed", "z started -");
        assertThat(db.queue("f")).containsExactly("z[0]");
    }

    /** Each would skip the step, so that which one does must not depend on where the rows lie. */
    @Test
    void givesUpTheFirstOfSeveralTasksThatWouldSkipTheirStep(Flows db) {
        db.define("f", "m map | when_exhausted => 'skip'");
        for (int first = 0; first < 3; first++) {
            var run = db.start("f", "[1, 2, 3]");
            var tasks = db.claim("f", 10);
            db.run("update pgflow.step_tasks set requeued_count = 3");
            // its message then lies behind the others
            db.run(
                    "update pgmq.q_f set vt = vt where msg_id = ?",
                    tasks.get(first).message());
            tasks.forEach(task -> db.backdate(task, 1000));

            assertThat(recover(db)).containsExactly("f m 0 failed " + Flows.WORKER);
            assertThat(db.tasks(run)).element(1).isEqualTo("m[1] started 1 - -");
        }
    }

    @Test
    void leavesTasksOfEndedRunsAlone(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b
                """);
        db.start("f", "1");
        var tasks = db.claim("f", 10);
        db.fail(tasks.get(0), "no");
        tasks.forEach(task -> db.backdate(task, 1000));

        assertThat(recover(db)).isEmpty();
    }

    @Test
    void notifiesThoseWhoListenToTheQueue(Flows db, Flows listener) {
        db.define("f", "a");
        db.define("g", "a");
        db.startMany("f", 2);
        db.start("g", "1");
        db.claim("f", 10).forEach(task -> db.backdate(task, 1000));
        db.claim("g", 10);
        listener.listen("pgmq.q_f.INSERT");
        listener.listen("pgmq.q_g.INSERT");

        recover(db);

        assertThat(listener.heardFrom(db)).containsExactly("pgmq.q_f.INSERT");
    }

    @Test
    void isDoneByOneCallerAtATime(Flows db, Flows other) {
        db.define("f", "a");
        db.start("f", "1");
        db.backdate(db.claimOne("f"), 1000);
        other.begin();
        assertThat(recover(other)).hasSize(1);

        assertThat(recover(db)).as("the other one is at it").isEmpty();
        other.rollback();
        assertThat(recover(db)).hasSize(1);
    }

    @Test
    void leavesATaskWhoseEndIsBeingRecorded(Flows db, Flows other) {
        db.define("f", "a");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        db.backdate(task, 1000);
        other.begin();
        other.complete(task, "1");

        var recovery = Background.start(db, RecoverTasksTest::recover);
        recovery.awaitLock(other);
        other.commit();

        assertThat(recovery.result()).isEmpty();
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    /** The task is queued again when recovery gets to it, but by its own retry: that is still to wait for its delay. */
    @Test
    void leavesTheDelayOfARetryThatIsBeingRecorded(Flows db, Flows other) {
        db.define("f", "base_delay => 500", "a");
        db.start("f", "1");
        var task = db.claimOne("f");
        db.backdate(task, 1000);
        other.begin();
        other.fail(task, "no");

        var recovery = Background.start(db, RecoverTasksTest::recover);
        recovery.awaitLock(other);
        other.commit();

        assertThat(recovery.result()).isEmpty();
        assertThat(db.hiddenFor("f", 1)).isBetween(990L, 1000L);
    }

    /** What is to be put back and what is to be given up are two groups, and each has the lower run of the other. */
    @Test
    void locksAllRunsInOneOrder(Flows db, Flows other) {
        db.define("f", "a");
        var runs = db.startMany("f", 2).stream()
                .sorted((a, b) -> a.toString().compareTo(b.toString()))
                .toList();
        var tasks = db.claim("f", 10);
        for (var last : runs) {
            db.run("update pgflow.step_tasks set requeued_count = 0");
            db.run("update pgflow.step_tasks set requeued_count = 3 where run_id = ?", last);
            tasks.forEach(task -> db.backdate(task, 1000));
            other.begin();
            other.run("select pgflow._lock_runs(?)", (Object) new UUID[] {runs.get(0)});

            var recovery = Background.start(db, session -> {
                session.begin();
                return recover(session);
            });
            recovery.awaitLock(other);
            // the second lock of the right order: recovery must not hold that run yet
            other.run("set local lock_timeout = '5s'");
            other.run("select pgflow._lock_runs(?)", (Object) new UUID[] {runs.get(1)});
            other.rollback();
            assertThat(recovery.result()).hasSize(2);
            db.rollback();
        }
    }

    @Test
    void copesWithAFlowWhoseQueueIsGone(Flows db) {
        db.define("f", "a");
        db.define("g", "a");
        db.start("g", "1");
        db.backdate(db.claimOne("g"), 1000);
        db.run("select pgmq.drop_queue('f')");

        assertThat(recover(db)).hasSize(1);
        db.run("select pgmq.create('f')");
    }

    @Test
    void returnsNothingWhereThereIsNothing(Flows db) {
        assertThat(recover(db)).isEmpty();
    }

    @Test
    void tellsOnceThatARunEndedByWhatWasGivenUp(Flows db) {
        db.define("failing", "m map");
        db.define("going", """
                m map | when_exhausted => 'skip'
                """);
        db.start("failing", "[1, 2]");
        db.start("going", "[1, 2, 3]");
        for (int i = 0; i < 4; i++) {
            for (var flow : List.of("failing", "going")) {
                db.claim(flow, 10).forEach(task -> db.backdate(task, 1000));
            }
            if (i < 3) {
                assertThat(db.lines("select outcome, run_ended, run_error from pgflow.recover_tasks()"))
                        .containsOnly("requeued - -");
            }
        }

        assertThat(
                        db.lines(
                                "select flow_slug, outcome, run_ended, run_error, since < now() - interval '900 seconds' from pgflow.recover_tasks() order by 1, run_ended"))
                .containsExactly(
                        "failing failed failed Task was given up: it was started four times or more, and no worker reported its end t",
                        "failing failed - - t",
                        "going failed completed - t");
    }
}
