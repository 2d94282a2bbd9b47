package io.pgflow.sql;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A session that speaks of flows: defines and starts them, takes and reports tasks, and shows what became of them in lines of text. */
final class Flows extends SqlSession {
    /** Registered before each test; its tasks are this session's. */
    static final UUID WORKER = UUID.fromString("11111111-1111-1111-1111-111111111111");

    /** A started task; claim and what follows it are 0 where it came from {@code start_tasks}, which does not tell them. */
    record Task(
            UUID run,
            String step,
            int index,
            long message,
            @Nullable String input,
            @Nullable String flowInput,
            int attempt,
            int claim,
            int timeout) {
        String name() {
            return step + "[" + index + "]";
        }

        /** As one says it: {@code name input}, or the run's input where there is no other. */
        @Override
        public String toString() {
            return name() + " " + (flowInput == null ? input : flowInput);
        }

        Report with(@Nullable String payload) {
            return new Report(run, step, index, claim, payload, null);
        }
    }

    /** What became of a task: its output, or its error. */
    record Report(
            UUID run,
            @Nullable String step,
            @Nullable Integer index,
            @Nullable Integer claim,
            @Nullable String payload,
            @Nullable Boolean permanent) {
        Report permanently() {
            return new Report(run, step, index, claim, payload, true);
        }

        Report ofClaim(@Nullable Integer other) {
            return new Report(run, step, index, other, payload, permanent);
        }
    }

    Flows(DataSource database) {
        super(database);
    }

    /** Defines a flow of steps, a line each: {@code slug [map] [: dependency, …] [| option => value, …]}. */
    void define(String flow, String steps) {
        define(flow, "", steps);
    }

    /** The same with options of the flow: {@code max_attempts => 1, …}. */
    void define(String flow, String options, String steps) {
        run("select pgflow.create_flow(?" + (options.isEmpty() ? "" : ", " + options) + ")", flow);
        steps.lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(line -> {
            var parts = line.split("\\s*\\|\\s*", 2);
            var names = parts[0].split("\\s*:\\s*", 2);
            var kind = names[0].split("\\s+", 2);
            var dependencies = names.length == 1 ? new String[0] : names[1].split("\\s*,\\s*", -1);
            run(
                    "select pgflow.add_step(?, ?, ?, step_type => ?" + (parts.length == 1 ? "" : ", " + parts[1]) + ")",
                    flow,
                    kind[0],
                    dependencies,
                    kind.length == 1 ? "single" : kind[1]);
        });
    }

    /** Starts a run by {@code start_flow} with an input in JSON. */
    UUID start(String flow, @Nullable String input) {
        return UUID.fromString(line("select run_id from pgflow.start_flow(?, ?::jsonb)", flow, input));
    }

    /** Starts that many runs with their numbers, from 1, as input. */
    List<UUID> startMany(String flow, int count) {
        return rows(
                row -> row.getObject(1, UUID.class),
                "select run_id from pgflow.start_flows(?, array(select to_jsonb(i) from generate_series(1, ?) i))",
                flow,
                count);
    }

    /** Claims by {@code claim_tasks}; steps and elements in their order. */
    List<Task> claim(String flow, int quantity) {
        return claim(flow, quantity, WORKER);
    }

    List<Task> claim(String flow, int quantity, UUID worker) {
        return rows(
                row -> new Task(
                        row.getObject(1, UUID.class),
                        row.getString(2),
                        row.getInt(3),
                        row.getLong(4),
                        row.getString(5),
                        row.getString(6),
                        row.getInt(7),
                        row.getInt(8),
                        row.getInt(9)),
                """
                select run_id, step_slug, task_index, msg_id, input, flow_input, attempt, claim_no, timeout
                from pgflow.claim_tasks(?, ?, ?)
                order by msg_id""",
                flow,
                worker,
                quantity);
    }

    /** Claims what must be the only task to have. */
    Task claimOne(String flow) {
        var tasks = claim(flow, 100);
        if (tasks.size() != 1) throw new AssertionError("one task expected, not " + tasks);
        return tasks.getFirst();
    }

    /** Claims, and picks the task of that name, as {@code step[index]}. */
    Task claim(String flow, String name) {
        return named(claim(flow, 100), name);
    }

    static Task named(List<Task> tasks, String name) {
        return tasks.stream()
                .filter(task -> task.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + name + " in " + tasks));
    }

    /** The contract's two phases: reads all visible messages, and starts their tasks by {@code start_tasks}. */
    List<Task> poll(String flow) {
        return startTasks(
                flow,
                rows(row -> row.getLong(1), "select msg_id from pgmq.read(?, 5, 1000)", flow)
                        .toArray(Long[]::new));
    }

    List<Task> startTasks(String flow, @Nullable Long... messages) {
        return rows(
                row -> new Task(
                        row.getObject(1, UUID.class),
                        row.getString(2),
                        row.getInt(3),
                        row.getLong(4),
                        row.getString(5),
                        row.getString(6),
                        0,
                        0,
                        0),
                """
                select run_id, step_slug, task_index, msg_id, input, flow_input
                from pgflow.start_tasks(?, ?, ?)
                order by msg_id""",
                flow,
                messages,
                WORKER);
    }

    /** Reports by {@code complete_task}; the row it returned, as {@link #tasks} shows tasks. */
    String complete(Task task, @Nullable String output) {
        return String.join(
                "; ",
                lines(
                        "select " + TASK + " from pgflow.complete_task(?, ?, ?, ?::jsonb) t",
                        task.run(),
                        task.step(),
                        task.index(),
                        output));
    }

    /** Reports by {@code fail_task}; the row it returned, as {@link #tasks} shows tasks. */
    String fail(Task task, @Nullable String error) {
        return String.join(
                "; ",
                lines(
                        "select " + TASK + " from pgflow.fail_task(?, ?, ?, ?) t",
                        task.run(),
                        task.step(),
                        task.index(),
                        error));
    }

    /** Reports by {@code complete_tasks}: lines of report, outcome, how the run ended, whether something is ready. */
    List<String> completeTasks(Report... reports) {
        return lines(
                "select report, outcome, run_ended, ready from pgflow.complete_tasks(?, ?, ?, ?, ?::jsonb[])",
                column(reports, Report::run, UUID[]::new),
                column(reports, Report::step, String[]::new),
                column(reports, Report::index, Integer[]::new),
                column(reports, Report::claim, Integer[]::new),
                column(reports, Report::payload, String[]::new));
    }

    /** Reports by {@code complete_tasks} with the tests' worker beside each. */
    List<String> handOver(Report... reports) {
        return handOver(Collections.nCopies(reports.length, WORKER), reports);
    }

    /** Who has been given which tasks that are not completed: step, status, attempts, claim, worker. */
    List<String> given() {
        return lines("""
                select step_slug, status, attempts_count, claim_no, last_worker_id from pgflow.step_tasks
                where status <> 'completed' order by flow_slug, step_slug, task_index""");
    }

    /** The same with a worker beside each report that has room for what follows: behind each line what it was given, step, timeout and input. */
    List<String> handOver(List<@Nullable UUID> workers, Report... reports) {
        return lines(
                "select report, outcome, run_ended, ready, next_step, next_timeout, next_input" + HANDING_OVER,
                handingOver(workers, reports));
    }

    /** The same of one worker; the tasks that it was given. */
    List<Task> next(UUID worker, Report... reports) {
        return rows(
                row -> new Task(
                        row.getObject(1, UUID.class),
                        row.getString(2),
                        0,
                        0,
                        row.getString(3),
                        null,
                        1,
                        1,
                        row.getInt(4)),
                "select run_id, next_step, next_input, next_timeout" + HANDING_OVER + " where next_step is not null",
                handingOver(Collections.nCopies(reports.length, worker), reports));
    }

    private static final String HANDING_OVER = " from pgflow.complete_tasks(?, ?, ?, ?, ?::jsonb[], ?)";

    private static Object[] handingOver(List<@Nullable UUID> workers, Report... reports) {
        return new Object[] {
            column(reports, Report::run, UUID[]::new),
            column(reports, Report::step, String[]::new),
            column(reports, Report::index, Integer[]::new),
            column(reports, Report::claim, Integer[]::new),
            column(reports, Report::payload, String[]::new),
            workers.toArray(UUID[]::new)
        };
    }

    /** Reports by {@code fail_tasks}: lines of report, outcome, how the run ended, whether something is ready. */
    List<String> failTasks(Report... reports) {
        return lines(
                "select report, outcome, run_ended, ready from pgflow.fail_tasks(?, ?, ?, ?, ?, ?)",
                column(reports, Report::run, UUID[]::new),
                column(reports, Report::step, String[]::new),
                column(reports, Report::index, Integer[]::new),
                column(reports, Report::claim, Integer[]::new),
                column(reports, Report::payload, String[]::new),
                column(reports, Report::permanent, Boolean[]::new));
    }

    /** The number of tasks that {@code release_tasks} handed back. */
    long release(Report... reports) {
        return number(
                "select pgflow.release_tasks(?, ?, ?, ?)",
                column(reports, Report::run, UUID[]::new),
                column(reports, Report::step, String[]::new),
                column(reports, Report::index, Integer[]::new),
                column(reports, Report::claim, Integer[]::new));
    }

    /** The number of tasks that {@code release_lost_tasks} handed back, of a worker that knows these. */
    long releaseLost(String flow, List<Task> known) {
        var reports = reports(known, null);
        return number(
                "select pgflow.release_lost_tasks(?, ?, ?, ?, ?, ?)",
                flow,
                WORKER,
                column(reports, Report::run, UUID[]::new),
                column(reports, Report::step, String[]::new),
                column(reports, Report::index, Integer[]::new),
                column(reports, Report::claim, Integer[]::new));
    }

    private static <T> T[] column(Report[] reports, Function<Report, @Nullable T> value, IntFunction<T[]> array) {
        return Arrays.stream(reports).map(value).toArray(array);
    }

    /** Claims and completes all there is, again and again, with the same output. */
    void drain(String flow, String output) {
        for (var tasks = claim(flow, 500); !tasks.isEmpty(); tasks = claim(flow, 500)) {
            completeTasks(tasks.stream().map(task -> task.with(output)).toArray(Report[]::new));
        }
    }

    /** Status and remaining steps. */
    String run(UUID run) {
        return line("select status, remaining_steps from pgflow.runs where run_id = ?", run);
    }

    /** The run's output, {@code -} for NULL. */
    String output(UUID run) {
        return line("select output from pgflow.runs where run_id = ?", run);
    }

    /** Steps in the order of their definition: slug, status, remaining dependencies, initial tasks, remaining tasks. */
    List<String> steps(UUID run) {
        return steps(run, "status, remaining_deps, initial_tasks, remaining_tasks");
    }

    /** The same with other columns of {@code step_states}. */
    List<String> steps(UUID run, String columns) {
        return lines(
                "select step_slug, " + columns + " from pgflow.step_states s where run_id = ? order by "
                        + "(select d.step_index from pgflow.steps d where d.flow_slug = s.flow_slug and d.step_slug = s.step_slug)",
                run);
    }

    String step(UUID run, String step, String columns) {
        return line("select " + columns + " from pgflow.step_states where run_id = ? and step_slug = ?", run, step);
    }

    private static final String TASK =
            "format('%s[%s] %s', t.step_slug, t.task_index, t.status), t.attempts_count, t.output, t.error_message";

    /** Tasks: step[index], status, attempts, output, error. */
    List<String> tasks(UUID run) {
        return lines(
                "select " + TASK + " from pgflow.step_tasks t where run_id = ? order by step_slug, task_index", run);
    }

    String task(Task task, String columns) {
        return line(
                "select " + columns + " from pgflow.step_tasks where run_id = ? and step_slug = ? and task_index = ?",
                task.run(),
                task.step(),
                task.index());
    }

    /** The tasks that the messages of the queue are of, hidden or not, by id. */
    List<String> queue(String flow) {
        return messages("q_" + flow);
    }

    /** The same of the archive. */
    List<String> archive(String flow) {
        return messages("a_" + flow);
    }

    private List<String> messages(String table) {
        return lines("select format('%s[%s]', message ->> 'step_slug', message ->> 'task_index') from pgmq." + table
                + " order by msg_id");
    }

    /** Seconds, rounded, until the message is visible. */
    long hiddenFor(String flow, long message) {
        return number(
                "select round(extract(epoch from vt - clock_timestamp())) from pgmq.q_" + flow + " where msg_id = ?",
                message);
    }

    /** Makes all messages of the queue visible. */
    void show(String flow) {
        run("update pgmq.q_" + flow + " set vt = clock_timestamp()");
    }

    /** Makes the task look as if it had been started that long ago. */
    void backdate(Task task, int seconds) {
        run("""
                update pgflow.step_tasks
                set queued_at = queued_at - make_interval(secs => ?), started_at = started_at - make_interval(secs => ?)
                where run_id = ? and step_slug = ? and task_index = ?""", seconds, seconds, task.run(), task.step(), task.index());
    }

    static List<String> names(List<Task> tasks) {
        return tasks.stream().map(Task::name).toList();
    }

    static Report[] reports(List<Task> tasks, @Nullable String payload) {
        return tasks.stream().map(task -> task.with(payload)).toArray(Report[]::new);
    }

    /** Each task as one says it: {@code step[index] input}. */
    static List<String> said(List<Task> tasks) {
        return tasks.stream().map(Task::toString).toList();
    }
}
