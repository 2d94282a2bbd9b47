package io.pgflow.sql;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pgflow.sql.Flows.Task;
import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.TestDatabases;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.util.PSQLWarning;

/**
 * The core reaches rows of runs, steps and tasks by their keys only, whatever the planner believes about the tables: a plan that
 * starts from a status or reads a table is fast in every small test, and a hundred times slower on the day that matters.
 *
 * <p>The plans are those that {@code auto_explain} reports, of every statement within the functions.
 */
@ExtendWith(TestDatabases.class)
class PlansTest {
    private static final Map<String, Set<String>> KEYS = Map.of(
            "runs", Set.of("run_id"),
            "step_states", Set.of("run_id", "step_slug"),
            "step_tasks", Set.of("run_id", "step_slug", "task_index"));

    /** Functions that are about all steps of a run, or all tasks of a step or a run: by function and table, the key's columns that they name. */
    private static final Map<String, Set<String>> RANGES = Map.of(
            "get_run_with_states step_states", Set.of("run_id"),
            "_resolve_conditions step_states", Set.of("run_id"),
            "_complete_taskless_steps step_states", Set.of("run_id"),
            "_start_ready_steps step_states", Set.of("run_id"),
            "_count_ended_steps step_states", Set.of("run_id"),
            "_ended_runs step_states", Set.of("run_id"),
            "_archive_open_messages step_tasks", Set.of("run_id"),
            "_map_output step_tasks", Set.of("run_id", "step_slug"));

    private static final Pattern SCAN =
            Pattern.compile("(.*?)((?:\\w+ )*Scan)(?: Backward)?(?: using \\w+)? on (\\w+)(?: .*)?");
    private static final Pattern EQUALITY = Pattern.compile("(\\w+) = ");
    private static final Pattern FUNCTION =
            Pattern.compile("(?:PL/pgSQL function (?:pgflow\\.)?|SQL function \")(\\w+)");

    private static Flows open(DataSource database) {
        Schema.migrate(database);
        var db = new Flows(database);
        assumeTrue(db.holds("current_setting('is_superuser') = 'on'"), "only a superuser may load auto_explain");
        Realtime.install(db);
        db.run("select pgflow.register_worker(?, 'plans', 'tests')", Flows.WORKER);
        // every kind of step, every way to go on
        db.define("plans", "max_attempts => 1, base_delay => 0", """
                m map
                a
                n map: m | when_exhausted => 'skip', max_attempts => 2
                b: a | when_exhausted => 'skip-cascade'
                c: b
                d: a | required_input_pattern => '{"a": [1]}'
                e map: d
                z: n, c, e
                """);
        db.define("chain", """
                one
                two: one
                """);
        db.define("strict", """
                p
                m map: p
                """);
        return db;
    }

    /** Calls every function of the core on a few runs, so that every statement within is executed. */
    private static void work(Flows db) {
        db.start("plans", "[]");
        var runs = db.rows(
                row -> row.getObject(1, UUID.class),
                "select run_id from pgflow.start_flows('plans', array['[1, 2, 3]', '[4, 5]', '[6]', '[7]']::jsonb[])");
        db.run("select pgflow.await_runs(?)", (Object) runs.toArray(UUID[]::new));
        db.start("chain", "1");
        var known = UUID.randomUUID();
        for (int i = 0; i < 2; i++) {
            db.run("select pgflow.start_flows('chain', array['1', '2']::jsonb[], ?)", (Object)
                    new UUID[] {known, UUID.randomUUID()});
        }
        for (int round = 0; round < 8; round++) {
            var tasks = new ArrayList<>(db.claim("plans", 7));
            tasks.addAll(db.claim("chain", 2));
            if (round == 1 || round == 2) {
                tasks.forEach(task -> db.backdate(task, 1000));
                db.run(round == 1 ? "select pgflow.requeue_stalled_tasks()" : "select pgflow.recover_tasks()");
                continue;
            }
            if (tasks.size() > 3) {
                var first = tasks.removeFirst();
                db.release(first.with(null));
                db.complete(tasks.removeFirst(), round == 0 ? "[1]" : "[]");
            }
            if (tasks.size() > 3 && round > 1) {
                db.fail(tasks.removeFirst(), "no");
                db.failTasks(
                        tasks.removeFirst().with("no"),
                        tasks.removeFirst().with("never").permanently());
            }
            db.completeTasks(Flows.reports(tasks, "[1]"));
        }
        var messages = db.rows(row -> row.getLong(1), "select msg_id from pgmq.read('plans', 5, 5)")
                .toArray(Long[]::new);
        db.startTasks("plans", messages).forEach((Task task) -> db.complete(task, "[2]"));
        db.run("select pgflow.next_message_delay('chain')");
        db.startMany("chain", 10);
        assertThat(db.next(Flows.WORKER, Flows.reports(db.claim("chain", 10), "1")))
                .isNotEmpty();
        db.releaseLost("chain", db.claim("chain", 1));

        var strict = db.start("strict", "1");
        db.claim("strict", 10).forEach((Task task) -> db.complete(task, "\"no array\""));
        for (var function : List.of(
                "cascade_resolve_conditions",
                "cascade_complete_taskless_steps",
                "start_ready_steps",
                "maybe_complete_run",
                "get_run_with_states")) {
            db.run("select pgflow." + function + "(?)", strict);
        }
        db.run("select pgflow._cascade_force_skip_steps(?, 'm', 'condition_unmet')", strict);
        db.run("select pgflow._archive_task_message(?, 'p', 0)", strict);
    }

    /** A busy database: finished runs, runs in flight, and runs that wait. */
    private static void grow(Flows db) {
        for (int i = 0; i < 18; i++) db.startMany("chain", 1000);
        db.run("select pgflow.start_flows('plans', array_fill('[1, 2, 3]'::jsonb, array[1000]))");
        for (int i = 0; i < 20; i++) db.completeTasks(Flows.reports(db.claim("chain", 500), "1"));
        for (int i = 0; i < 6; i++) db.claim("chain", 500);
        db.claim("plans", 500);
    }

    /** The accesses to the tables above that are not by the whole key, as lines of function, access, plan. */
    private static Set<String> badPlans(Flows db, Runnable work) {
        db.run("load 'auto_explain'");
        db.run("""
                select set_config('auto_explain.' || name, value, false)
                from (values ('log_min_duration', '0'), ('log_nested_statements', 'on'), ('log_level', 'notice')) as s (name, value)""");
        var bad = new LinkedHashSet<String>();
        var seen = new LinkedHashSet<String>();
        db.watchNotices(notice -> {
            var message = requireNonNull(((PSQLWarning) notice).getServerErrorMessage());
            var where = message.getWhere() == null ? "" : message.getWhere();
            var matcher = FUNCTION.matcher(where);
            var function = matcher.find() ? matcher.group(1) : "-";
            for (var access :
                    accesses(requireNonNull(message.getMessage()).lines().toList())) {
                seen.add(access.table());
                var needed =
                        RANGES.getOrDefault(function + " " + access.table(), requireNonNull(KEYS.get(access.table())));
                var byMessage = access.columns().contains("message_id")
                        && access.table().equals("step_tasks");
                if (!access.columns().containsAll(needed)
                        && !byMessage
                        && !access.how().equals("Tid Scan")) {
                    bad.add(function + ": " + access + "\n" + message.getMessage());
                }
            }
        });
        work.run();
        db.watchNotices(null);
        db.run("set auto_explain.log_min_duration = -1");
        assertThat(seen).as("tables that plans were seen for").isEqualTo(KEYS.keySet());
        return bad;
    }

    private record Access(String how, String table, Set<String> columns) {}

    private static List<Access> accesses(List<String> plan) {
        var accesses = new ArrayList<Access>();
        for (int i = 0; i < plan.size(); i++) {
            if (!plan.get(i).contains("Scan")) continue; // trying the pattern on every line takes a sixth of the time
            var scan = SCAN.matcher(plan.get(i));
            if (!scan.matches() || !KEYS.containsKey(scan.group(3))) continue;
            var columns = new LinkedHashSet<String>();
            // what belongs to the scan is printed below it, up to the next node
            for (int j = i + 1; j < plan.size() && !plan.get(j).contains("->"); j++) {
                if (plan.get(j).strip().matches("(Index|Recheck) Cond:.*")) {
                    var equality = EQUALITY.matcher(plan.get(j));
                    while (equality.find()) columns.add(equality.group(1));
                    break;
                }
            }
            accesses.add(new Access(scan.group(2), scan.group(3), columns));
        }
        return accesses;
    }

    @Test
    void areByKeyOnFreshTables(@EmptyDatabase DataSource database) {
        try (var db = open(database)) {
            assertThat(badPlans(db, () -> work(db))).isEmpty();
        }
    }

    @Test
    void areByKeyOnTablesThatGrew(@EmptyDatabase DataSource database) {
        try (var db = open(database)) {
            // by now the connection has plans that it made for empty tables, and keeps
            for (int i = 0; i < 7; i++) work(db);
            grow(db);
            assertThat(badPlans(db, () -> work(db))).as("not analysed").isEmpty();

            db.run("analyze");
            assertThat(badPlans(db, () -> work(db))).as("analysed").isEmpty();
            try (var other = new Flows(database)) {
                assertThat(badPlans(other, () -> work(other)))
                        .as("analysed, of a new connection")
                        .isEmpty();
            }
        }
    }

    /** So that the tests above can fail. */
    @Test
    void areToldFromOthers(@EmptyDatabase DataSource database) {
        try (var db = open(database)) {
            work(db);
            var bad = badPlans(db, () -> {
                db.lines("select count(*) from pgflow.runs");
                db.run("set enable_seqscan = off");
                db.lines("select * from pgflow.step_states where step_slug = 'a'");
                db.lines("select * from pgflow.step_states where run_id = gen_random_uuid()");
                db.lines(
                        "select * from pgflow.step_tasks where run_id = ? and step_slug = 'a' and status = 'started'",
                        UUID.randomUUID());
                db.lines(
                        "select * from pgflow.step_tasks where run_id = ? and step_slug = 'a' and task_index = 1",
                        UUID.randomUUID());
                db.lines("select * from pgflow.step_tasks where message_id = 5");
                db.lines("select * from pgflow.runs where run_id = ?", UUID.randomUUID());
            });
            assertThat(bad).hasSize(4);
        }
    }
}
