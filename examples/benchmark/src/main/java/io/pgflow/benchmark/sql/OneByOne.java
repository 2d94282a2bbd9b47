package io.pgflow.benchmark.sql;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/** The contract's own protocol, which workers in other languages speak: messages are read, their tasks started, and each task is completed by a call. */
public final class OneByOne implements AutoCloseable {
    /** How many messages one call reads. */
    private static final int BATCH = 10;

    private final Connection connection;
    private final PreparedStatement read;
    private final PreparedStatement start;
    private final PreparedStatement complete;

    /** Works on a connection. */
    public OneByOne(Connection connection) throws SQLException {
        this.connection = connection;
        read = connection.prepareStatement("select msg_id, message from pgmq.read(?, 2, " + BATCH + ")");
        start = connection.prepareStatement(
                "select run_id, step_slug, task_index, input, flow_input from pgflow.start_tasks(?, ?, ?)");
        complete = connection.prepareStatement("select 1 from pgflow.complete_task(?, ?, ?, ?::jsonb)");
    }

    private record Task(UUID run, String step, int index) {}

    /** Works until so many tasks, counted over all connections, are done. */
    public void work(AtomicInteger left) throws SQLException, InterruptedException {
        while (left.get() > 0) {
            var messages = read();
            if (messages.isEmpty()) {
                Thread.sleep(1); // the other connections have what is left
                continue;
            }
            for (var task : start(messages)) {
                complete.setObject(1, task.run());
                complete.setString(2, task.step());
                complete.setInt(3, task.index());
                complete.setString(4, "1");
                complete.executeQuery().close();
                left.decrementAndGet();
            }
        }
    }

    private List<Long> read() throws SQLException {
        read.setString(1, Flows.SLUG);
        var messages = new ArrayList<Long>();
        try (var rows = read.executeQuery()) {
            while (rows.next()) {
                messages.add(rows.getLong(1));
            }
        }
        return messages;
    }

    private List<Task> start(List<Long> messages) throws SQLException {
        start.setString(1, Flows.SLUG);
        start.setArray(2, connection.createArrayOf("int8", messages.toArray()));
        start.setObject(3, UUID.fromString(SetWise.WORKER));
        var tasks = new ArrayList<Task>();
        try (var rows = start.executeQuery()) {
            while (rows.next()) {
                tasks.add(new Task(rows.getObject(1, UUID.class), rows.getString(2), rows.getInt(3)));
            }
        }
        return tasks;
    }

    @Override
    public void close() throws SQLException {
        read.close();
        start.close();
        complete.close();
    }
}
