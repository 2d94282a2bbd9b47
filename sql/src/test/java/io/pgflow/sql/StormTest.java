package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Flows.Report;
import io.pgflow.sql.Flows.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Many sessions do everything there is to do to the same runs, in any order: claiming and the contract's two phases on leases so short that others
 * read the same messages, reports in batches and alone, releases, both recoveries.
 */
@ExtendWith(CoreDatabase.class)
class StormTest {
    private static final List<String> FLOWS = List.of("orders", "mails");
    private static final int LEAST_ACTS = 150;

    /** What a session has claimed, or believes so, and does next. */
    private static final class Actor {
        private final Flows db;
        private final Random random;
        private final List<Task> hand = new ArrayList<>();

        Actor(Flows db, long seed) {
            this.db = db;
            this.random = new Random(seed);
        }

        void act() {
            var flow = FLOWS.get(random.nextInt(FLOWS.size()));
            switch (random.nextInt(21)) {
                case 0, 1 ->
                    db.run(
                            "select pgflow.start_flows(?, array(select to_jsonb(array_fill(i, array[i % 5])) from generate_series(0, ?) i))",
                            flow, random.nextInt(10));
                case 2, 3, 4, 5 -> hand.addAll(db.claim(flow, 1 + random.nextInt(30)));
                case 6, 7 ->
                    hand.addAll(db.startTasks(
                            flow,
                            db.rows(
                                            row -> row.getLong(1),
                                            "select msg_id from pgmq.read(?, ?, 10)",
                                            flow,
                                            random.nextInt(2))
                                    .toArray(Long[]::new)));
                case 8, 9, 10, 11 -> {
                    var reports =
                            some(List.of("[1, 2]", "[]", "[3]", "\"no array\"").get(random.nextInt(4)));
                    if (random.nextBoolean()) db.completeTasks(reports);
                    else hand.addAll(db.next(Flows.WORKER, reports));
                }
                case 12, 13 -> db.failTasks(some("no"));
                case 14 -> db.release(some(null));
                case 15 -> hand.stream().findAny().ifPresent(task -> db.complete(task, "[3]"));
                case 16 -> hand.stream().findAny().ifPresent(task -> db.fail(task, "alone"));
                case 17 -> hand.stream().findAny().ifPresent(task -> db.backdate(task, 1000));
                case 18 -> db.run("select pgflow.recover_tasks()");
                case 19 -> db.run("select pgflow.requeue_stalled_tasks()");
                default ->
                    db.run(
                            "select pgflow.get_run_with_states(r.run_id) from (select run_id from pgflow.runs limit 5) r");
            }
        }

        /** Some of the tasks in hand, in any order, of any flow; a few are kept, to be reported again. */
        private Report[] some(@Nullable String payload) {
            var reports = new ArrayList<Report>();
            for (int i = random.nextInt(30); i > 0 && !hand.isEmpty(); i--) {
                int at = random.nextInt(hand.size());
                var task = random.nextInt(10) == 0 ? hand.get(at) : hand.remove(at);
                var report = task.with(payload);
                if (task.claim() == 0) report = report.ofClaim(null); // started by start_tasks, which does not tell it
                reports.add(random.nextInt(20) == 0 ? report.permanently() : report);
            }
            return reports.toArray(Report[]::new);
        }
    }

    @Test
    void leavesNoDeadlockAndNoContradiction(Flows a, Flows b, Flows c, Flows d, Flows e, Flows f, Flows g, Flows h) {
        storm(List.of(a, b, c, d, e, f, g, h), 0);
    }

    @Test
    @Tag("long")
    void leavesNoneInAMinute(Flows a, Flows b, Flows c, Flows d, Flows e, Flows f, Flows g, Flows h) {
        storm(List.of(a, b, c, d, e, f, g, h), 60);
    }

    private static void storm(List<Flows> sessions, int seconds) {
        var a = sessions.getFirst();
        a.define("orders", "max_attempts => 2, base_delay => 0", """
                m map
                first
                n map: m | when_exhausted => 'skip'
                second: first | when_exhausted => 'skip-cascade'
                gate: second | required_input_pattern => '{"second": [1]}'
                strict: second | forbidden_input_pattern => '{"second": [3]}', when_unmet => 'fail'
                join: n, gate
                """);
        a.define("mails", "max_attempts => 3, base_delay => 0", """
                list
                x map: list
                y map: x | when_exhausted => 'skip-cascade'
                z: y, list
                """);
        Realtime.install(a);
        long deadlocks = deadlocks(a);
        long seed = System.nanoTime();
        long end = seed + TimeUnit.SECONDS.toNanos(seconds);
        var storm = IntStream.range(0, sessions.size())
                .mapToObj(i -> {
                    var actor = new Actor(sessions.get(i), seed + i);
                    return Background.start(actor.db, session -> {
                        for (int n = 0; n < LEAST_ACTS || System.nanoTime() < end; n++) actor.act();
                        session.run("select pg_stat_force_next_flush()");
                        return true;
                    });
                })
                .toList();
        assertThat(storm).as("seed %s", seed).allMatch(Background::result);
        assertThat(deadlocks(a)).as("deadlocks, seed %s", seed).isEqualTo(deadlocks);

        // whatever is left is put back, and ends
        for (int round = 0; a.number("select count(*) from pgflow.runs where status = 'started'") > 0; round++) {
            assertThat(round)
                    .as(
                            "rounds, seed %s, still open: %s",
                            seed, a.lines("select * from pgflow.step_states where status = 'started' limit 5"))
                    .isLessThan(20);
            a.run(
                    "update pgflow.step_tasks set queued_at = queued_at - interval '1 day', started_at = started_at - interval '1 day' where status = 'started'");
            a.run("select pgflow.recover_tasks()");
            // what requeue_stalled_tasks gave up waits for its worker for ever
            a.run("""
                    select pgflow.complete_task(t.run_id, t.step_slug, t.task_index, '[4]')
                    from (select * from pgflow.step_tasks where status = 'started' and permanently_stalled_at is not null offset 0) t""");
            for (var flow : FLOWS) {
                a.show(flow);
                a.drain(flow, "[1]");
            }
        }
        assertThat(a.number("select count(*) from pgflow.runs")).isGreaterThan(100);
        for (var flow : FLOWS) assertThat(a.queue(flow)).isEmpty();
        Realtime.check(a);
    }

    /** Those that nobody was told of, too. */
    private static long deadlocks(Flows db) {
        return db.number("select deadlocks from pg_stat_database where datname = current_database()");
    }
}
