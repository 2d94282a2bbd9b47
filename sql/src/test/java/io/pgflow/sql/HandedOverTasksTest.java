package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Flows.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What becomes of tasks that {@code complete_tasks} has handed over, and of their workers meanwhile. */
@ExtendWith(CoreDatabase.class)
class HandedOverTasksTest {
    private static final UUID OTHER = UUID.fromString("22222222-2222-2222-2222-222222222222");

    private static void registerOther(Flows db) {
        db.run("select pgflow.register_worker(?, 'tests', 'tests')", OTHER);
    }

    private static final String CHAIN = """
            a
            b: a
            """;

    @Test
    void handsBackWhatTheWorkerNeverHeardOf(Flows db) {
        db.define("f", CHAIN);
        db.startMany("f", 2);
        var given = db.next(Flows.WORKER, Flows.reports(db.claim("f", 10), "1"));
        assertThat(given).hasSize(2);
        var lost = given.get(1);

        assertThat(db.releaseLost("f", List.of(given.get(0)))).isEqualTo(1);

        assertThat(db.task(lost, "status, attempts_count, claim_no, started_at, last_worker_id"))
                .isEqualTo("queued 0 1 - -");
        assertThat(db.task(given.get(0), "status")).isEqualTo("started");
        assertThat(db.completeTasks(lost.with("1"))).containsExactly("1 late - f");
        var again = db.claimOne("f");
        assertThat(again).extracting(Task::run, Task::attempt, Task::claim).containsExactly(lost.run(), 1, 2);
    }

    @Test
    void canBeReleased(Flows db) {
        db.define("f", CHAIN);
        db.start("f", "1");
        var task = db.next(Flows.WORKER, db.claimOne("f").with("1")).getFirst();

        assertThat(db.release(task.with(null))).isEqualTo(1);

        assertThat(db.claimOne("f")).extracting(Task::attempt, Task::claim).containsExactly(1, 2);
    }

    @Test
    void isTakenBackFromAWorkerThatStoppedOrIsOverdue(Flows db) {
        registerOther(db);
        db.define("f", "timeout => 10", CHAIN);
        db.startMany("f", 3);
        var tasks = db.claim("f", 10);
        db.handOver(List.of(OTHER, Flows.WORKER, Flows.WORKER), Flows.reports(tasks, "1"));
        db.run("select pgflow.mark_worker_stopped(?)", OTHER);
        db.run(
                "update pgflow.step_tasks set queued_at = queued_at - interval '41 s', started_at = started_at - interval '41 s'"
                        + " where run_id = ? and step_slug = 'b'",
                tasks.get(1).run());

        assertThat(db.lines("select run_id, step_slug, outcome, worker_id from pgflow.recover_tasks()"))
                .containsExactlyInAnyOrder(
                        tasks.get(0).run() + " b requeued " + OTHER,
                        tasks.get(1).run() + " b requeued " + Flows.WORKER);

        assertThat(db.claim("f", 10)).hasSize(2).allMatch(task -> task.attempt() == 2 && task.claim() == 2);
    }

    @Test
    void isTriedAgainAsOftenAsWhatWasClaimed(Flows db) {
        db.define("f", "max_attempts => 2, base_delay => 0", CHAIN);
        var run = db.start("f", "1");
        var task = db.next(Flows.WORKER, db.claimOne("f").with("1")).getFirst();

        assertThat(db.failTasks(task.with("first"))).containsExactly("1 retrying - f");
        assertThat(db.completeTasks(task.with("1"))).containsExactly("1 late - f");
        var second = db.claimOne("f");
        assertThat(second).extracting(Task::attempt, Task::claim).containsExactly(2, 2);
        assertThat(db.failTasks(second.with("second"))).containsExactly("1 failed failed f");
        assertThat(db.tasks(run)).containsExactly("a[0] completed 1 1 -", "b[0] failed 2 - second");
    }

    @Test
    void isReportedByThoseWhoKnowOfNoClaims(Flows db) {
        db.define("f", CHAIN);
        var run = db.start("f", "1");
        var task = db.next(Flows.WORKER, db.claimOne("f").with("1")).getFirst();

        assertThat(db.complete(task, "2")).isEqualTo("b[0] completed 1 2 -");
        assertThat(db.run(run)).isEqualTo("completed 0");
    }

    /** A claim that finds its message visible again hides it until it is overdue. */
    @Test
    void isNotClaimedWhereItsMessageIsVisible(Flows db) {
        db.define("f", CHAIN);
        db.start("f", "1");
        var task = db.next(Flows.WORKER, db.claimOne("f").with("1")).getFirst();
        db.show("f");

        assertThat(db.claim("f", 10)).isEmpty();
        assertThat(db.task(task, "status, claim_no")).isEqualTo("started 1");
    }

    /** The server goes on with a statement whose client is gone. */
    @Test
    void isKnownOnceTheWorkersReportsAreThrough(Flows lost, Flows db) {
        lost.define("f", CHAIN);
        lost.start("f", "1");
        var task = lost.claimOne("f");
        lost.begin();
        lost.handOver(task.with("1"));

        var releasing = Background.start(db, session -> session.releaseLost("f", List.of(task)));
        releasing.awaitLock(lost);
        lost.commit();

        assertThat(releasing.result()).isEqualTo(1);
    }

    @Test
    void isWaitedForBeforeTheReportsHaveTheirRun(Flows lost, Flows db, Flows other) {
        lost.define("f", CHAIN);
        lost.start("f", "1");
        var task = lost.claimOne("f");
        other.begin();
        other.run("select from pgflow.runs for update");
        var reporting = Background.start(lost, session -> session.handOver(task.with("1")));
        reporting.awaitLock(other);

        var releasing = Background.start(db, session -> session.releaseLost("f", List.of(task)));
        releasing.awaitLock(reporting, other);
        other.commit();

        assertThat(reporting.result()).containsExactly("1 completed - f b 60 {\"a\": 1}");
        assertThat(releasing.result()).isEqualTo(1);
    }

    @Test
    void keepsItsWorkerFromBeingDeletedMeanwhile(Flows db, Flows deleter, Flows other) {
        registerOther(db);
        db.define("f", CHAIN);
        db.start("f", "1");
        var task = db.claimOne("f");
        other.begin();
        other.run("select from pgflow.runs for update");
        var reporting = Background.start(db, session -> session.handOver(List.of(OTHER), task.with("1")));
        reporting.awaitLock(other);
        var deleting = Background.start(
                deleter, session -> session.lines("delete from pgflow.workers where worker_id = ? returning 1", OTHER));
        deleting.awaitLock(reporting, other);
        other.commit();

        assertThat(reporting.result()).containsExactly("1 completed - f b 60 {\"a\": 1}");
        assertThat(deleting.result()).containsExactly("1");
        assertThat(db.given()).containsExactly("b started 1 1 -");
    }

    /** Two calls that wait for two workers that look for lost tasks would else wait for each other. */
    @Test
    void waitsForWorkersInOneOrderWhateverTheOrderOfReports(Flows db, Flows other) {
        db.define("f", CHAIN);
        db.startMany("f", 9);
        var tasks = db.claim("f", 10);
        var workers = new ArrayList<@Nullable UUID>();
        for (char digit = '9'; digit > '0'; digit--) {
            workers.add(UUID.fromString(Flows.WORKER.toString().replace('1', digit)));
        }
        int process = db.processId();
        other.begin();
        assertThat(other.releaseLost("f", tasks)).isZero(); // of the least

        var reporting = Background.start(db, session -> session.handOver(workers, Flows.reports(tasks, "1")));
        reporting.awaitLock(other);
        assertThat(other.number(
                        "select count(*) from pg_locks where locktype = 'advisory' and granted and pid = ?", process))
                .isZero();
        other.commit();

        assertThat(reporting.result()).hasSize(9).last().isEqualTo("9 completed - f b 60 {\"a\": 1}");
    }

    @Test
    void letsReportsOfAWorkerPassEachOther(Flows one, Flows other) {
        one.define("f", CHAIN);
        one.startMany("f", 2);
        var tasks = one.claim("f", 2);
        one.begin();
        one.handOver(tasks.get(0).with("1"));

        assertThat(other.handOver(tasks.get(1).with("1"))).containsExactly("1 completed - f b 60 {\"a\": 1}");
        other.run("select pgflow.heartbeat(?)", Flows.WORKER);

        one.rollback();
        assertThat(one.given())
                .containsExactlyInAnyOrder("a started 1 1 " + Flows.WORKER, "b started 1 1 " + Flows.WORKER);
    }
}
