package io.pgflow.trials;

import io.pgflow.TaskContext;
import io.pgflow.trials.Calls.Call;
import io.pgflow.trials.Calls.Task;
import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;
import org.jooq.DSLContext;

/** {@link Calls} of handlers in several processes: each writes them into a table of the database before it does anything else. */
final class CallTable {

    private final DataSource database;

    /** The table of a database, which {@link #create} made. */
    CallTable(DataSource database) {
        this.database = database;
    }

    static void create(DSLContext db) {
        db.execute(
                "create table if not exists public.calls (run_id uuid, step_slug text, task_index int, attempt int, worker_id uuid)");
    }

    /** A handler was called. */
    void add(TaskContext task) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("insert into public.calls values (?, ?, ?, ?, ?)")) {
            insert.setObject(1, task.runId());
            insert.setString(2, task.stepSlug());
            insert.setInt(3, task.taskIndex());
            insert.setInt(4, task.attempt());
            insert.setObject(5, task.workerId());
            insert.executeUpdate();
        }
    }

    /** All calls so far. */
    static Calls read(DSLContext db) {
        var calls = new Calls();
        db.fetch("select run_id, step_slug, task_index, attempt from public.calls")
                .forEach(row -> calls.add(new Call(
                        new Task(row.get(0, UUID.class), row.get(1, String.class), row.get(2, Integer.class)),
                        row.get(3, Integer.class))));
        return calls;
    }
}
