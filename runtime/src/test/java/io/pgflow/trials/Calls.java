package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.TaskContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jooq.DSLContext;

/**
 * What handlers were called for: the trials' own account, to be compared with the database's of the flows that are named, or of all. Any thread may add
 * to it.
 */
final class Calls {

    /** A task. */
    record Task(UUID run, String step, int index) {}

    /** A call of a handler. */
    record Call(Task task, int attempt) {

        Call(TaskContext context) {
            this(new Task(context.runId(), context.stepSlug(), context.taskIndex()), context.attempt());
        }
    }

    /** What the database says of a task. */
    private record Account(Task task, String status, int attempts, int requeued) {}

    private final Queue<Call> calls = new ConcurrentLinkedQueue<>();

    /** A handler was called. */
    void add(TaskContext context) {
        calls.add(new Call(context));
    }

    /** A handler was called. */
    void add(Call call) {
        calls.add(call);
    }

    int size() {
        return calls.size();
    }

    /** Whatever was lost on the way, each task of the database was run, and once. */
    void assertOnceEach(DSLContext db, String... flows) {
        var times = times();
        assertThat(times.keySet())
                .as("tasks that were run")
                .containsExactlyInAnyOrderElementsOf(
                        accounts(db, flows).stream().map(Account::task).toList());
        assertThat(calls).as("calls, each of another task").hasSameSizeAs(times.keySet());
    }

    /** As far as at-least-once allows: each task was run, in no attempt twice, and in none that the database does not count. */
    void assertOnceAnAttempt(DSLContext db, String... flows) {
        assertThat(calls).as("calls, each of another attempt").doesNotHaveDuplicates();
        var times = times();
        for (Account account : accounts(db, flows)) {
            assertThat(times.getOrDefault(account.task(), 0))
                    .as("calls for %s", account)
                    .isBetween(1, account.attempts());
        }
    }

    /** The same where no handler failed: run again was only what was taken from a worker that was gone. */
    void assertAgainOnlyIfTaken(DSLContext db, String... flows) {
        assertOnceAnAttempt(db, flows);
        var times = times();
        for (Account account : accounts(db, flows)) {
            assertThat(times.get(account.task()))
                    .as("calls for %s", account)
                    .isLessThanOrEqualTo(1 + account.requeued());
        }
    }

    /** None was taken from its worker because that seemed to be gone, or to have forgotten it. */
    static void assertNoneTaken(DSLContext db, String... flows) {
        assertThat(accounts(db, flows))
                .as("tasks, none of which was taken from its worker")
                .allSatisfy(account -> assertThat(account.requeued()).isZero());
    }

    private Map<Task, Integer> times() {
        var times = new HashMap<Task, Integer>();
        calls.forEach(call -> times.merge(call.task(), 1, Integer::sum));
        return times;
    }

    private static List<Account> accounts(DSLContext db, String... flows) {
        return db.fetch("""
                        select run_id, step_slug, task_index, status, attempts_count, requeued_count from pgflow.step_tasks
                        where flow_slug = any (?) or cardinality(?) = 0""", flows, flows)
                .map(row -> new Account(
                        new Task(row.get(0, UUID.class), row.get(1, String.class), row.get(2, Integer.class)),
                        row.get(3, String.class),
                        row.get(4, Integer.class),
                        row.get(5, Integer.class)));
    }
}
