package io.pgflow.benchmark.sql;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/** Claims and completes tasks by arrays, on one connection, as a worker of ours does. */
public final class SetWise implements AutoCloseable {
    /** The worker that all connections work as. */
    static final String WORKER = "00000000-0000-4000-8000-000000000001";

    /** How many tasks one call claims. */
    public static final int BATCH = 200;

    private final Connection connection;
    private final String listOutput;
    private final PreparedStatement claim;
    private final PreparedStatement complete;

    /**
     * Works on a connection.
     *
     * @param listOutput what a step {@code a} gives; every other gives a number
     */
    public SetWise(Connection connection, String listOutput) throws SQLException {
        this.connection = connection;
        this.listOutput = listOutput;
        claim = connection.prepareStatement(
                "select run_id, step_slug, task_index, claim_no, input, flow_input from pgflow.claim_tasks(?, ?, ?)");
        complete = connection.prepareStatement(
                "select report, outcome, run_ended, ready from pgflow.complete_tasks(?, ?, ?, ?, ?)");
    }

    private record Task(UUID run, String step, int index, int claimNo) {}

    /** Claims and completes until so many tasks, counted over all connections, are done. */
    public void work(AtomicInteger left) throws SQLException, InterruptedException {
        while (left.get() > 0) {
            var tasks = claim();
            if (tasks.isEmpty()) {
                Thread.sleep(1); // the other connections have what is left
            } else {
                complete(tasks);
                left.addAndGet(-tasks.size());
            }
        }
    }

    private List<Task> claim() throws SQLException {
        claim.setString(1, Flows.SLUG);
        claim.setObject(2, UUID.fromString(WORKER));
        claim.setInt(3, BATCH);
        var tasks = new ArrayList<Task>();
        try (var rows = claim.executeQuery()) {
            while (rows.next()) {
                tasks.add(new Task(rows.getObject(1, UUID.class), rows.getString(2), rows.getInt(3), rows.getInt(4)));
            }
        }
        return tasks;
    }

    private void complete(List<Task> tasks) throws SQLException {
        complete.setArray(
                1,
                connection.createArrayOf("uuid", tasks.stream().map(Task::run).toArray()));
        complete.setArray(
                2,
                connection.createArrayOf("text", tasks.stream().map(Task::step).toArray()));
        complete.setArray(
                3,
                connection.createArrayOf("int4", tasks.stream().map(Task::index).toArray()));
        complete.setArray(
                4,
                connection.createArrayOf(
                        "int4", tasks.stream().map(Task::claimNo).toArray()));
        complete.setArray(
                5,
                connection.createArrayOf(
                        "jsonb",
                        tasks.stream()
                                .map(task -> task.step().equals("a") ? listOutput : "1")
                                .toArray()));
        int completed = 0;
        try (var rows = complete.executeQuery()) {
            while (rows.next()) {
                completed += rows.getString(2).equals("completed") ? 1 : 0;
            }
        }
        if (completed != tasks.size()) {
            throw new IllegalStateException("of " + tasks.size() + " tasks, " + completed + " were completed");
        }
    }

    @Override
    public void close() throws SQLException {
        claim.close();
        complete.close();
    }
}
