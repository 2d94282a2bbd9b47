package io.pgflow.benchmark.sql;

import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.sql.Flows.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/** The floor under all that keeps these tables, on one connection: floor.sql says what it does. A batch takes two transactions, as ours does. */
public final class Floor implements AutoCloseable {
    private final Connection connection;
    private final PreparedStatement insert;
    private final PreparedStatement start;
    private final PreparedStatement complete;

    /** Works on a connection. */
    public Floor(Connection connection) throws SQLException {
        this.connection = connection;
        insert = connection.prepareStatement("select floor.insert_runs(?)");
        start = connection.prepareStatement("select messages, runs from floor.read_and_start(?, ?)");
        complete = connection.prepareStatement("select floor.complete(?, ?)");
    }

    /** Makes a database ready. */
    public static Database define(Database database) {
        Flows.define(database, Shape.SINGLE);
        try (var sql = Objects.requireNonNull(Floor.class.getResourceAsStream("floor.sql"))) {
            database.run(new String(sql.readAllBytes(), StandardCharsets.UTF_8));
            return database;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Inserts runs as they are once started, {@value Flows#STARTED_AT_ONCE} a call, until none is left to be taken. */
    public void insert(AtomicInteger left) throws SQLException {
        for (int runs = Flows.take(left, Flows.STARTED_AT_ONCE);
                runs > 0;
                runs = Flows.take(left, Flows.STARTED_AT_ONCE)) {
            var ids = new UUID[runs];
            for (int i = 0; i < runs; i++) {
                ids[i] = UUID.randomUUID();
            }
            insert.setArray(1, connection.createArrayOf("uuid", ids));
            insert.executeQuery().close();
        }
    }

    /** Works until so many runs, counted over all connections, are done. */
    public void work(AtomicInteger left) throws SQLException, InterruptedException {
        while (left.get() > 0) {
            start.setInt(1, SetWise.BATCH);
            start.setObject(2, UUID.fromString(SetWise.WORKER));
            Array messages;
            Array runs;
            try (var row = start.executeQuery()) {
                row.next();
                messages = row.getArray(1);
                runs = row.getArray(2);
            }
            if (messages == null) {
                Thread.sleep(1); // the other connections have what is left
                continue;
            }
            complete.setArray(1, messages);
            complete.setArray(2, runs);
            complete.executeQuery().close();
            left.addAndGet(-((Object[]) messages.getArray()).length);
        }
    }

    @Override
    public void close() throws SQLException {
        insert.close();
        start.close();
        complete.close();
    }
}
