package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Flows.Report;
import io.pgflow.sql.Flows.Task;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two sessions do something to the same run at the same time, over and over: each outcome is one that a sequence of calls has. */
@ExtendWith(CoreDatabase.class)
class MeetingsTest {
    private static final int ROUNDS = 100;

    /** Lets both do their parts of each pair of tasks at once. */
    private static void meet(
            Flows a,
            Flows b,
            List<Task> ofA,
            List<Task> ofB,
            BiConsumer<Flows, Task> doA,
            BiConsumer<Flows, Task> doB) {
        assertThat(ofA).hasSameSizeAs(ofB);
        var together = new CyclicBarrier(2);
        var one = Background.start(a, session -> each(session, ofA, doA, together));
        var other = Background.start(b, session -> each(session, ofB, doB, together));
        assertThat(one.result() + other.result()).isEqualTo(ofA.size() + ofB.size());
    }

    private static int each(Flows session, List<Task> tasks, BiConsumer<Flows, Task> work, CyclicBarrier together) {
        for (var task : tasks) {
            try {
                together.await(30, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            work.accept(session, task);
        }
        return tasks.size();
    }

    private static List<Task> of(String step, List<Task> tasks) {
        return tasks.stream()
                .filter(task -> task.step().equals(step))
                .sorted((x, y) -> x.run().compareTo(y.run()))
                .toList();
    }

    private static void complete(Flows db, Task task) {
        assertThat(db.completeTasks(task.with("\"" + task.step() + "\"")))
                .hasSize(1)
                .allMatch(line -> line.contains(" completed "));
    }

    @Test
    void twoLastDependenciesStartTheirDependentOnce(Flows a, Flows b) {
        a.define("f", """
                x
                y
                z: x, y
                """);
        a.startMany("f", ROUNDS);
        var tasks = a.claim("f", 1000);

        meet(a, b, of("x", tasks), of("y", tasks), MeetingsTest::complete, MeetingsTest::complete);

        assertThat(
                        a.lines(
                                "select status, remaining_deps, count(*) from pgflow.step_states where step_slug = 'z' group by 1, 2"))
                .containsExactly("started 0 " + ROUNDS);
        var last = a.claim("f", 1000);
        assertThat(last).hasSize(ROUNDS).allMatch(task -> "{\"x\": \"x\", \"y\": \"y\"}".equals(task.input()));
        a.completeTasks(Flows.reports(last, "1"));
        assertThat(a.lines("select status, count(*) from pgflow.runs group by 1"))
                .containsExactly("completed " + ROUNDS);
    }

    @Test
    void twoLastDependenciesHandTheirDependentOverOnce(Flows a, Flows b) {
        a.define("f", """
                x
                y
                z: x, y
                """);
        a.startMany("f", ROUNDS);
        var tasks = a.claim("f", 1000);
        var given = new ConcurrentLinkedQueue<Task>();
        BiConsumer<Flows, Task> handOver =
                (db, task) -> given.addAll(db.next(Flows.WORKER, task.with("\"" + task.step() + "\"")));

        meet(a, b, of("x", tasks), of("y", tasks), handOver, handOver);

        assertThat(given)
                .hasSize(ROUNDS)
                .allMatch(task -> "{\"x\": \"x\", \"y\": \"y\"}".equals(task.input()))
                .doesNotHaveDuplicates();
        assertThat(a.claim("f", 1000)).isEmpty();
        assertThat(a.releaseLost("f", List.copyOf(given))).isZero();
        a.completeTasks(Flows.reports(List.copyOf(given), "1"));
        assertThat(a.lines("select status, count(*) from pgflow.runs group by 1"))
                .containsExactly("completed " + ROUNDS);
    }

    /** A worker that sees nothing of its answers, and says so while reports of its are still on their way. */
    @Test
    void whatIsHandedOverIsLostOrKnownButNotBoth(Flows a, Flows b) {
        a.define("f", """
                x
                y: x
                """);
        a.startMany("f", ROUNDS);
        var tasks = of("x", a.claim("f", 1000));

        meet(
                a,
                b,
                tasks,
                tasks,
                (db, task) -> db.next(Flows.WORKER, task.with("1")),
                (db, task) -> db.releaseLost("f", tasks));
        a.releaseLost("f", tasks);

        assertThat(
                        a.lines(
                                "select distinct status, attempts_count, claim_no from pgflow.step_tasks where step_slug = 'y'"))
                .containsExactly("queued 0 1");
        a.drain("f", "2");
        assertThat(a.lines("select status, count(*) from pgflow.runs group by 1"))
                .containsExactly("completed " + ROUNDS);
    }

    @Test
    void twoLastStepsEndTheRunOnce(Flows a, Flows b) {
        a.define("f", """
                x
                y
                """);
        a.startMany("f", ROUNDS);
        var tasks = a.claim("f", 1000);

        meet(a, b, of("x", tasks), of("y", tasks), MeetingsTest::complete, MeetingsTest::complete);

        assertThat(a.lines("select status, output, count(*) from pgflow.runs group by 1, 2"))
                .containsExactly("completed {\"x\": \"x\", \"y\": \"y\"} " + ROUNDS);
    }

    @Test
    void twoLastTasksOfAMapCompleteItOnceWithBothOutputs(Flows a, Flows b) {
        a.define("f", "m map");
        a.run("select pgflow.start_flows('f', array_fill('[0, 1]'::jsonb, array[?]))", ROUNDS);
        var tasks = of("m", a.claim("f", 1000));

        meet(
                a,
                b,
                tasks.stream().filter(task -> task.index() == 0).toList(),
                tasks.stream().filter(task -> task.index() == 1).toList(),
                MeetingsTest::complete,
                MeetingsTest::complete);

        assertThat(a.lines("select status, output, count(*) from pgflow.runs group by 1, 2"))
                .containsExactly("completed {\"m\": [\"m\", \"m\"]} " + ROUNDS);
    }

    @Test
    void aFailureAndACompletionOfSiblingsLeaveAFailedRun(Flows a, Flows b) {
        a.define("f", "max_attempts => 1", """
                x
                y
                z: y
                """);
        a.startMany("f", ROUNDS);
        var tasks = a.claim("f", 1000);

        meet(
                a,
                b,
                of("x", tasks),
                of("y", tasks),
                (db, task) -> assertThat(db.failTasks(task.with("no"))).containsExactly("1 failed failed f"),
                (db, task) ->
                        assertThat(db.completeTasks(task.with("1"))).first().isIn("1 completed - t", "1 late - f"));

        assertThat(a.lines("select status, count(*) from pgflow.runs group by 1"))
                .containsExactly("failed " + ROUNDS);
        assertThat(a.queue("f")).isEmpty();
    }

    @Test
    void aSkipAndACompletionOfTwoDependenciesStartTheDependentOnce(Flows a, Flows b) {
        a.define("f", "max_attempts => 1", """
                x | when_exhausted => 'skip'
                y
                z: x, y
                """);
        a.startMany("f", ROUNDS);
        var tasks = a.claim("f", 1000);

        meet(a, b, of("x", tasks), of("y", tasks), (db, task) -> db.failTasks(task.with("no")), MeetingsTest::complete);

        var last = a.claim("f", 1000);
        assertThat(last).hasSize(ROUNDS).allMatch(task -> "{\"y\": \"y\"}".equals(task.input()));
    }

    @Test
    void aTaskIsCompletedOrFailedButNotBoth(Flows a, Flows b) {
        a.define("f", "max_attempts => 1", "x");
        a.startMany("f", ROUNDS);
        var tasks = of("x", a.claim("f", 1000));

        meet(
                a,
                b,
                tasks,
                tasks,
                (db, task) -> db.completeTasks(task.with("1")),
                (db, task) -> db.failTasks(task.with("no")));

        assertThat(a.lines("""
                        select r.status = t.status and (t.status = 'completed') = (t.output is not null) and (t.status = 'failed') = (t.error_message is not null), count(*)
                        from pgflow.runs r join pgflow.step_tasks t using (run_id) group by 1""")).containsExactly("t " + ROUNDS);
    }

    @Test
    void aTaskIsPutBackOrCompletedButNotBoth(Flows a, Flows b) {
        a.define("f", "x");
        a.startMany("f", ROUNDS);
        var tasks = of("x", a.claim("f", 1000));
        tasks.forEach(task -> a.backdate(task, 1000));

        meet(
                a,
                b,
                tasks,
                tasks,
                (db, task) -> db.completeTasks(task.with("1")),
                (db, task) -> db.run("select pgflow.requeue_stalled_tasks()"));

        assertThat(a.lines("select distinct status from pgflow.step_tasks")).isSubsetOf("completed", "queued");
        a.drain("f", "2");
        assertThat(a.lines("select distinct status from pgflow.runs")).containsExactly("completed");
    }

    @Test
    void readersOfOneQueueInTwoPhasesAndInOneGetEachTaskOnce(Flows a, Flows b) {
        a.define("f", "x");
        a.startMany("f", 1000);

        var one = Background.start(a, session -> {
            int got = 0;
            for (int i = 0; i < 100; i++) {
                var tasks = session.claim("f", 7);
                got += tasks.size();
                session.completeTasks(Flows.reports(tasks, "1"));
            }
            return got;
        });
        var other = Background.start(b, session -> {
            int got = 0;
            for (int i = 0; i < 100; i++) {
                // a lease of no time at all: everybody else sees these messages too
                var ids = session.rows(row -> row.getLong(1), "select msg_id from pgmq.read('f', 0, 7)")
                        .toArray(Long[]::new);
                var tasks = session.startTasks("f", ids);
                got += tasks.size();
                session.completeTasks(tasks.stream()
                        .map(task -> new Report(task.run(), task.step(), task.index(), 1, "2", null))
                        .toArray(Report[]::new));
            }
            return got;
        });
        int both = one.result() + other.result();
        a.drain("f", "3");

        assertThat(
                        a.line(
                                "select count(*), max(attempts_count), max(claim_no) from pgflow.step_tasks where status = 'completed'"))
                .isEqualTo("1000 1 1");
        assertThat(a.number("select count(*) from pgflow.runs where output->>'x' in ('1', '2')"))
                .isEqualTo(both);
    }

    @Test
    void runsAreStartedWhileOthersAreWorkedOff(Flows a, Flows b) {
        a.define("f", """
                x
                y: x
                """);
        var starting = Background.start(a, session -> {
            for (int i = 0; i < 50; i++) session.startMany("f", 20);
            return 1000;
        });
        int done = 0;
        while (done < 2000) {
            var tasks = b.claim("f", 50);
            done += tasks.size();
            b.completeTasks(Flows.reports(tasks, "1"));
        }
        assertThat(starting.result()).isEqualTo(1000);
        List<UUID> open = a.rows(
                row -> row.getObject(1, UUID.class), "select run_id from pgflow.runs where status <> 'completed'");
        assertThat(open).isEmpty();
    }
}
