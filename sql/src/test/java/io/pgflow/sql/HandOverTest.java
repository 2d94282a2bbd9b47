package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Flows.Report;
import io.pgflow.sql.Flows.Task;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code complete_tasks} with workers that have room for what it makes ready. */
@ExtendWith(CoreDatabase.class)
class HandOverTest {
    private static final UUID OTHER = UUID.fromString("22222222-2222-2222-2222-222222222222");

    private static void registerOther(Flows db) {
        db.run("select pgflow.register_worker(?, 'tests', 'tests')", OTHER);
    }

    private static final String CHAIN = """
            a
            b: a
            """;

    private static List<@Nullable UUID> workers(@Nullable UUID... workers) {
        return Arrays.asList(workers);
    }

    /** A report on what was handed over. */
    private static Report report(UUID run, String step, String payload) {
        return new Report(run, step, 0, 1, payload, null);
    }

    private static String to(String step, UUID worker) {
        return step + " started 1 1 " + worker;
    }

    private static String toNobody(String step) {
        return step + " queued 0 0 -";
    }

    @Test
    void startsWhatFollowsForTheWorker(Flows db) {
        db.define("f", "timeout => 30", CHAIN);
        var run = db.start("f", "1");

        assertThat(db.handOver(db.claimOne("f").with("{\"x\": 1}")))
                .containsExactly("1 completed - f b 30 {\"a\": {\"x\": 1}}");

        assertThat(db.steps(run)).containsExactly("a completed 0 1 0", "b started 0 1 1");
        assertThat(db.line("""
                        select status, attempts_count, claim_no, last_worker_id, requeued_count, output, error_message, completed_at, failed_at,
                          started_at = now.then, started_at >= queued_at
                        from pgflow.step_tasks, (select started_at as then from pgflow.step_states where step_slug = 'b') now
                        where step_slug = 'b'""")).isEqualTo("started 1 1 " + Flows.WORKER + " 0 - - - - t t");
        assertThat(db.line("""
                        select msg_id, read_ct, message = jsonb_build_object('flow_slug', 'f', 'run_id', ?::text, 'step_slug', 'b', 'task_index', 0), headers
                        from pgmq.q_f""", run)).isEqualTo("2 1 t -");
        assertThat(db.hiddenFor("f", 2)).isBetween(30L, 32L);
        assertThat(db.line("""
                        select q.vt >= t.started_at + interval '32 seconds' from pgmq.q_f q
                        join pgflow.step_tasks t on t.message_id = q.msg_id""")).isEqualTo("t");
        assertThat(db.claim("f", 10)).isEmpty();
        assertThat(db.poll("f")).isEmpty();
    }

    @Test
    void leavesWhatAClaimWouldHave(Flows db) {
        db.define("f", CHAIN);
        db.startMany("f", 2);
        var tasks = db.claim("f", 2);
        var row =
                "select to_jsonb(t) - array['run_id', 'message_id', 'queued_at', 'started_at'] from pgflow.step_tasks t"
                        + " where step_slug = 'b' and run_id = ?";
        var message = "select to_jsonb(q) - array['msg_id', 'vt', 'enqueued_at'] #- '{message,run_id}' from pgmq.q_f q"
                + " where message ->> 'run_id' = ?::text";

        assertThat(db.next(Flows.WORKER, tasks.get(0).with("1"))).hasSize(1);
        db.completeTasks(tasks.get(1).with("1"));
        var claimed = db.claimOne("f");

        assertThat(db.line(row, tasks.get(0).run())).isEqualTo(db.line(row, claimed.run()));
        assertThat(db.line(message, tasks.get(0).run())).isEqualTo(db.line(message, claimed.run()));
    }

    @Test
    void goesOnUnderTheFirstClaimUpToTheRunsEnd(Flows db) {
        db.define("f", """
                a
                b: a
                c: b
                """);
        var run = db.start("f", "1");
        db.handOver(db.claimOne("f").with("1"));

        assertThat(db.handOver(report(run, "b", "2").ofClaim(2), report(run, "c", "3")))
                .containsExactly("1 late - f - - -", "2 late - f - - -");
        assertThat(db.handOver(report(run, "b", "2"))).containsExactly("1 completed - f c 60 {\"b\": 2}");
        assertThat(db.handOver(report(run, "c", "3"))).containsExactly("1 completed completed f - - -");

        assertThat(db.output(run)).isEqualTo("{\"c\": 3}");
        assertThat(db.queue("f")).isEmpty();
        assertThat(db.archive("f")).containsExactly("a[0]", "b[0]", "c[0]");
    }

    @Test
    void givesAJoinItsDependenciesButThoseThatWereSkipped(Flows db) {
        db.define("f", "max_attempts => 1", """
                a
                b
                m map: a
                skipped | when_exhausted => 'skip'
                z: m, b, skipped
                """);
        var run = db.start("f", "1");
        var tasks = db.claim("f", 10);
        db.failTasks(Flows.named(tasks, "skipped[0]").with("no"));
        assertThat(db.handOver(
                        Flows.named(tasks, "a[0]").with("[1, 2]"),
                        Flows.named(tasks, "b[0]").with(null)))
                .as("a map is enqueued")
                .containsExactly("1 completed - t - - -", "2 completed - t - - -");
        var elements = db.claim("f", 10);
        assertThat(db.handOver(elements.get(1).with("22"))).containsExactly("1 completed - f - - -");

        assertThat(db.handOver(elements.get(0).with("11")))
                .containsExactly("1 completed - f z 60 {\"b\": null, \"m\": [11, 22]}");

        assertThat(db.handOver(report(run, "z", "5"))).containsExactly("1 completed completed f - - -");
        assertThat(db.output(run)).isEqualTo("{\"z\": 5}");
    }

    @Test
    void goesByTheTimeoutOfTheStepBeforeThatOfTheFlow(Flows db) {
        db.define("f", "timeout => 500", """
                a
                b
                c: a | timeout => 1000
                d: b
                """);
        db.start("f", "1");

        assertThat(db.handOver(Flows.reports(db.claim("f", 10), "1")))
                .containsExactly("1 completed - f c 1000 {\"a\": 1}", "2 completed - f d 500 {\"b\": 1}");

        assertThat(db.lines("""
                        select message ->> 'step_slug', round(extract(epoch from vt - clock_timestamp()) / 100) from pgmq.q_f
                        order by 1""")).containsExactly("c 10", "d 5");
    }

    @Test
    void enqueuesWhereNoWorkerCanTakeIt(Flows db) {
        var deprecated = UUID.randomUUID();
        var stopped = UUID.randomUUID();
        var unknown = UUID.randomUUID();
        for (var worker : List.of(deprecated, stopped)) {
            db.run("select pgflow.register_worker(?, 'tests', 'tests')", worker);
        }
        db.run("update pgflow.workers set deprecated_at = now() where worker_id = ?", deprecated);
        db.run("select pgflow.mark_worker_stopped(?)", stopped);
        db.define("f", CHAIN);
        db.startMany("f", 5);
        var tasks = db.claim("f", 10);

        assertThat(db.handOver(workers(deprecated, stopped, unknown, null, Flows.WORKER), Flows.reports(tasks, "1")))
                .containsExactly(
                        "1 completed - t - - -",
                        "2 completed - t - - -",
                        "3 completed - t - - -",
                        "4 completed - t - - -",
                        "5 completed - f b 60 {\"a\": 1}");

        assertThat(Flows.names(db.claim("f", 10))).hasSize(4).containsOnly("b[0]");

        db.run("select pgflow.heartbeat(?)", stopped);
        db.startMany("f", 1);
        assertThat(db.handOver(workers(stopped), db.claimOne("f").with("1")))
                .as("alive after all")
                .containsExactly("1 completed - f b 60 {\"a\": 1}");
    }

    @Test
    void enqueuesForThoseWhoNameNoWorkers(Flows db) {
        db.define("f", CHAIN);
        var runs = db.startMany("f", 2);
        db.claim("f", 10);
        var call =
                "select outcome, ready, next_step from pgflow.complete_tasks(array[?]::uuid[], array['a'], array[0], array[1], array['1']::jsonb[]";

        assertThat(db.line(call + ")", runs.get(0))).isEqualTo("completed t -");
        assertThat(db.line(call + ", null)", runs.get(1))).isEqualTo("completed t -");

        assertThat(db.given()).containsExactly(toNobody("b"), toNobody("b"));
    }

    @Test
    void takesWorkersByName(Flows db) {
        db.define("f", CHAIN);
        var run = db.start("f", "1");
        db.claimOne("f");

        assertThat(db.line("""
                        select * from pgflow.complete_tasks(run_ids => array[?]::uuid[], step_slugs => array['a'], task_indexes => array[0],
                          claim_nos => array[1], outputs => array['1']::jsonb[], worker_ids => array[?]::uuid[])""", run, Flows.WORKER)).isEqualTo("1 " + run + " completed - - f b 60 {\"a\": 1}");
    }

    @Test
    void givesOneTaskForEachReportTheFirstBySlug(Flows db) {
        db.define("f", """
                a
                c: a
                b: a
                B: a
                """);
        db.start("f", "1");

        assertThat(db.handOver(db.claimOne("f").with("1"))).containsExactly("1 completed - t B 60 {\"a\": 1}");

        assertThat(db.given()).containsExactlyInAnyOrder(to("B", Flows.WORKER), toNobody("b"), toNobody("c"));
        assertThat(Flows.names(db.claim("f", 10))).containsExactly("b[0]", "c[0]");
    }

    @Test
    void passesOverWhatCannotBeHandedOver(Flows db) {
        db.define("f", """
                a
                b map: a
                c: a | start_delay => 100
                d: a
                e: a | start_delay => 0
                """);
        db.start("f", "1");

        assertThat(db.handOver(db.claimOne("f").with("[7]"))).containsExactly("1 completed - t d 60 {\"a\": [7]}");

        assertThat(db.given()).containsExactly(toNobody("b"), toNobody("c"), to("d", Flows.WORKER), toNobody("e"));
        assertThat(db.number("select round(extract(epoch from vt - clock_timestamp()) / 10) from pgmq.q_f"
                        + " where message ->> 'step_slug' = 'c'"))
                .isEqualTo(10);
        assertThat(Flows.names(db.claim("f", 10))).containsExactlyInAnyOrder("b[0]", "e[0]");
    }

    @Test
    void handsNoLoneMapAndNothingDelayedOver(Flows db) {
        db.define("f", """
                a
                b
                m map: a
                z: b | start_delay => 1
                """);
        db.start("f", "1");

        assertThat(db.handOver(Flows.reports(db.claim("f", 10), "[1]")))
                .containsExactly("1 completed - t - - -", "2 completed - t - - -");
        assertThat(db.given()).containsExactly(toNobody("m"), toNobody("z"));
    }

    @Test
    void handsNothingOverInRunsThatMustBeSettled(Flows db) {
        db.define("f", """
                a
                b: a
                m map: a
                n: m
                """);
        db.define("g", """
                a
                b: a
                c: a | required_input_pattern => '{"a": [1]}'
                """);
        db.startMany("f", 2);
        db.startMany("g", 2);
        var f = db.claim("f", 10);
        var g = db.claim("g", 10);

        assertThat(db.handOver(
                        f.get(0).with("[]"),
                        f.get(1).with("[1]"),
                        g.get(0).with("[1]"),
                        g.get(1).with("[2]")))
                .containsExactly(
                        "1 completed - t - - -",
                        "2 completed - t b 60 {\"a\": [1]}",
                        "3 completed - t - - -",
                        "4 completed - t - - -");

        assertThat(db.given())
                .containsExactlyInAnyOrder(
                        toNobody("b"),
                        toNobody("n"),
                        to("b", Flows.WORKER),
                        toNobody("m"),
                        toNobody("b"),
                        toNobody("c"),
                        toNobody("b"));
    }

    @Test
    void givesEachOfTwoReportsOnARunItsOwn(Flows db) {
        registerOther(db);
        db.define("f", """
                a
                b
                c
                x: c
                y: b
                z: a
                """);
        db.start("f", "1");
        var tasks = db.claim("f", 10);

        assertThat(db.handOver(
                        workers(OTHER, Flows.WORKER, null),
                        tasks.get(0).with("1"),
                        tasks.get(1).with("2"),
                        tasks.get(2).with("3")))
                .containsExactly(
                        "1 completed - t z 60 {\"a\": 1}", "2 completed - t y 60 {\"b\": 2}", "3 completed - t - - -");

        assertThat(db.given()).containsExactly(toNobody("x"), to("y", Flows.WORKER), to("z", OTHER));
    }

    @Test
    void givesAJoinToTheLastReportThatItFollows(Flows db) {
        registerOther(db);
        db.define("f", """
                a
                b
                z: a, b
                """);
        db.startMany("f", 4);
        var tasks = db.claim("f", 10).stream()
                .sorted((x, y) -> x.run().compareTo(y.run()))
                .toList();
        var reports = new ArrayList<Report>();
        for (int i = 0; i < 4; i++) {
            var both = tasks.subList(2 * i, 2 * i + 2);
            var names = i % 2 == 0 ? List.of("a[0]", "b[0]") : List.of("b[0]", "a[0]");
            names.forEach(name -> reports.add(Flows.named(both, name).with("1")));
        }

        var lines = db.handOver(
                workers(OTHER, Flows.WORKER, Flows.WORKER, OTHER, OTHER, null, null, Flows.WORKER),
                reports.toArray(Report[]::new));

        var input = "z 60 {\"a\": 1, \"b\": 1}";
        assertThat(lines)
                .containsExactly(
                        "1 completed - f - - -",
                        "2 completed - f " + input,
                        "3 completed - f - - -",
                        "4 completed - f " + input,
                        "5 completed - t - - -",
                        "6 completed - t - - -",
                        "7 completed - f - - -",
                        "8 completed - f " + input);
        assertThat(db.given())
                .containsExactlyInAnyOrder(to("z", Flows.WORKER), to("z", OTHER), toNobody("z"), to("z", Flows.WORKER));
    }

    @Test
    void givesWhatFollowsAMapToTheFirstReportOnIt(Flows db) {
        db.define("f", """
                m map
                z: m
                """);
        var first = db.start("f", "[1, 2, 3]");
        db.claim("f", 10);
        db.completeTasks(new Report(first, "m", 0, 1, "1", null));
        assertThat(db.handOver(
                        workers(Flows.WORKER, null),
                        new Report(first, "m", 2, 1, "3", null),
                        new Report(first, "m", 1, 1, "2", null)))
                .containsExactly("1 completed - f z 60 {\"m\": [1, 2, 3]}", "2 completed - f - - -");

        var second = db.start("f", "[1, 2]");
        db.claim("f", 10);
        assertThat(db.handOver(
                        workers(null, Flows.WORKER),
                        new Report(second, "m", 0, 1, "1", null),
                        new Report(second, "m", 1, 1, "2", null)))
                .containsExactly("1 completed - t - - -", "2 completed - t - - -");
    }

    @Test
    void givesNothingForALateReport(Flows db) {
        db.define("f", CHAIN);
        db.start("f", "1");
        var task = db.claimOne("f");

        assertThat(db.handOver(task.with("1").ofClaim(2))).containsExactly("1 late - f - - -");
        assertThat(db.handOver(task.with("1"), task.with("2")))
                .containsExactly("1 completed - f b 60 {\"a\": 1}", "2 late - f - - -");
        assertThat(db.handOver(task.with("1"))).containsExactly("1 late - f - - -");
        assertThat(db.given()).containsExactly(to("b", Flows.WORKER));
    }

    @Test
    void givesNothingOfARunThatAViolationFails(Flows db) {
        db.define("f", """
                a
                p
                b: a
                m map: p
                """);
        db.start("f", "1");

        assertThat(db.handOver(Flows.reports(db.claim("f", 10), "1")))
                .containsExactly("1 late - f - - -", "2 failed failed f - - -");
        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    void servesManyRunsAndFlowsInOneCall(Flows db) {
        registerOther(db);
        db.define("f", "timeout => 100", CHAIN);
        db.define("G", "timeout => 200", """
                a
                c: a
                b: a
                """);
        db.define("end", "a");
        db.startMany("f", 20);
        db.startMany("G", 20);
        db.start("end", "1");
        var tasks = new ArrayList<Task>(db.claim("end", 1));
        var f = db.claim("f", 100);
        var g = db.claim("G", 100).reversed();
        IntStream.range(0, 20).forEach(i -> tasks.addAll(List.of(f.get(i), g.get(i))));
        var reports = new ArrayList<Report>();
        var workers = new ArrayList<@Nullable UUID>();
        for (int i = 0; i < tasks.size(); i++) {
            reports.add(tasks.get(i).with("" + i));
            workers.add(i % 3 == 0 ? OTHER : Flows.WORKER);
        }

        var lines = db.handOver(workers, reports.toArray(Report[]::new));

        assertThat(lines).hasSize(41).first().isEqualTo("1 completed completed f - - -");
        for (int i = 1; i < tasks.size(); i++) {
            assertThat(lines.get(i))
                    .isEqualTo("%d completed - %s {\"a\": %d}", i + 1, i % 2 == 1 ? "f b 100" : "t b 200", i);
            assertThat(db.line(
                            "select last_worker_id from pgflow.step_tasks where run_id = ? and step_slug = 'b'",
                            tasks.get(i).run()))
                    .isEqualTo(workers.get(i) + "");
        }
        assertThat(db.claim("f", 100)).isEmpty();
        assertThat(Flows.names(db.claim("G", 100))).hasSize(20).containsOnly("c[0]");
    }

    @Test
    void refusesWorkersThatDoNotGoWithTheReports(Flows db) {
        db.define("f", CHAIN);
        db.start("f", "1");
        var task = db.claimOne("f");
        var call =
                "select pgflow.complete_tasks(array[?]::uuid[], array['a'], array[0], array[1], array['1']::jsonb[], ?)";

        for (var some : List.of(new UUID[0], new UUID[] {Flows.WORKER, null})) {
            assertThat(db.refusal(call, task.run(), some).message())
                    .isEqualTo("worker_ids must have the length of run_ids, 1 instead of " + some.length);
        }
        assertThat(db.handOver()).isEmpty();
        assertThat(db.tasks(task.run())).containsExactly("a[0] started 1 - -");
    }

    @Test
    void tellsListenersOnlyOfWhatIsEnqueued(Flows db, Flows listener) {
        db.define("f", """
                a
                b: a
                c: b
                d: b
                """);
        db.run("select pgflow.enable_notifications('f', 0)");
        var run = db.start("f", "1");
        var task = db.claimOne("f");
        listener.listen("pgmq.q_f.INSERT");

        db.handOver(task.with("1"));
        assertThat(listener.heardFrom(db)).as("b is handed over").isEmpty();
        db.handOver(report(run, "b", "1"));
        assertThat(listener.heardFrom(db)).as("d is enqueued").containsExactly("pgmq.q_f.INSERT");
        db.handOver(report(run, "c", "1"));
        assertThat(listener.heardFrom(db)).as("nothing new").isEmpty();
    }

    /** What is handed over does not use up the moment at which the next may be announced. */
    @Test
    void leavesTheThrottleToWhatIsEnqueued(Flows db, Flows listener) {
        db.define("f", CHAIN);
        db.start("f", "1");
        db.run("select pgflow.enable_notifications('f', 3600000)");
        listener.listen("pgmq.q_f.INSERT");

        db.handOver(db.claimOne("f").with("1"));
        assertThat(listener.heardFrom(db)).isEmpty();
        db.start("f", "2");
        assertThat(listener.heardFrom(db)).containsExactly("pgmq.q_f.INSERT");
    }
}
