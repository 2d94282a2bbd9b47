package io.pgflow.benchmark.sql;

import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Figure.Name;
import io.pgflow.benchmark.Goal;
import io.pgflow.benchmark.Measurement;
import io.pgflow.benchmark.Results;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.sql.Flows.Shape;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.UUID;

/**
 * The figures that the contract's own tests enforce, measured as they do: in one transaction, on a connection that has done nothing before,
 * with nothing but the contract's functions.
 */
final class ContractFigures {
    /** What a root map's elements look like: about 150 bytes. */
    private static final String OBJECTS =
            "(select jsonb_agg(jsonb_build_object('id', i, 'name', 'item ' || i, 'text', repeat('x', 100))) from generate_series(1, ?) i)";

    private static final String NUMBERS = "(select jsonb_agg(i) from generate_series(1, ?) i)";

    private static final String SECTION = "The contract's figures";
    private static final int EMPTY_MAPS = 49;

    private final Server server;
    private final Results results;
    private final List<Goal> limits = new ArrayList<>();

    ContractFigures(Server server, Results results) {
        this.server = server;
        this.results = results;
        atMost(150, "ms", "start_flow, root map of 1,000");
        atMost(800, "ms", "start_flow, root map of 10,000");
        atMost(2, "×", "start_flow, an element of 10,000 against one of 100");
        atMost(1.5, "×", "start_flow, growth from 100 to 10,000 against linear");
        atMost(30, "s", "10,000 tasks, until all are queued");
        atMost(30, "ms", "start_tasks for 10 of 100, 1,000 and 10,000: slowest less fastest");
        atMost(50, "ms", "start_tasks of 10,000 objects: one task");
        atMost(120, "ms", "start_tasks of 10,000 objects: ten tasks, average");
        atMost(150, "ms", "start_tasks of 10,000 objects: ten tasks, slowest");
        atMost(500, "ms", "start_tasks of 10,000 objects: fifty tasks");
        atMost(8, "×", "start_tasks, ten of 10,000 against ten of 100");
        atLeast(1.5, "×", "start_tasks, a task alone against one of ten");
        atMost(5, "ms", "start_tasks, a task of ten");
        atMost(3, "ms", "start_tasks, a task of fifty");
        atMost(15, "×", "start_tasks, slowest call of ten against the average");
        atMost(5, "s", "chain of 49 empty maps");
        atMost(100, "ms", "chain of 49 empty maps, a step");
        atMost(100, "ms", "an empty map, from started to completed");
    }

    private void atMost(double limit, String unit, String what) {
        limits.add(Goal.atMost(limit, unit, what, List.of()));
    }

    private void atLeast(double limit, String unit, String what) {
        limits.add(Goal.atLeast(limit, unit, what, List.of()));
    }

    List<Measurement> measurements() {
        return List.of(
                new Measurement(SECTION, "start_flow", () -> on(Shape.ROOT_MAP, this::startFlow)),
                new Measurement(SECTION, "start_tasks by size", () -> on(Shape.ROOT_MAP, this::startTasksBySize)),
                new Measurement(SECTION, "start_tasks by batch", () -> on(Shape.ROOT_MAP, this::startTasksByBatch)),
                new Measurement(SECTION, "empty maps", this::emptyMaps));
    }

    List<Goal> goals() {
        return limits.stream()
                .map(limit ->
                        new Goal(limit.what(), limit.bound(), limit.limit(), limit.unit(), results.values(name(limit))))
                .toList();
    }

    private static Name name(Goal limit) {
        return new Name(SECTION, limit.what(), "measured");
    }

    private void found(String what, double value) {
        var limit = limits.stream()
                .filter(each -> each.what().equals(what))
                .findFirst()
                .orElseThrow();
        results.add(name(limit), limit.unit(), value);
    }

    /** What is done in one transaction. */
    private interface InTransaction {
        void run(Connection connection) throws SQLException;
    }

    private void on(Shape shape, InTransaction work) throws SQLException {
        try (var database = Flows.define(server.create("contract"), shape)) {
            inTransaction(database, work);
        }
    }

    private static void inTransaction(Database database, InTransaction work) throws SQLException {
        try (var connection = database.connect()) {
            connection.setAutoCommit(false);
            work.run(connection);
            connection.rollback();
        }
    }

    private void startFlow(Connection connection) throws SQLException {
        double thousand = start(connection, NUMBERS, 1_000); // the first call, which plans
        double hundred = start(connection, NUMBERS, 100);
        double tenThousand = start(connection, NUMBERS, 10_000);
        found("start_flow, root map of 1,000", thousand);
        found("start_flow, root map of 10,000", tenThousand);
        found("start_flow, an element of 10,000 against one of 100", tenThousand / hundred / 100);
        found("start_flow, growth from 100 to 10,000 against linear", tenThousand / hundred / 100);
        found("10,000 tasks, until all are queued", tenThousand / 1_000);
    }

    private void startTasksBySize(Connection connection) throws SQLException {
        var times = new DoubleSummaryStatistics();
        for (int size : new int[] {100, 1_000, 10_000}) {
            purge(connection);
            start(connection, NUMBERS, size);
            times.accept(startTasks(connection, 10));
        }
        found("start_tasks for 10 of 100, 1,000 and 10,000: slowest less fastest", times.getMax() - times.getMin());
    }

    private void startTasksByBatch(Connection connection) throws SQLException {
        start(connection, OBJECTS, 100);
        startTasks(connection, 1); // which plans
        double tenOfFew = times(connection, 5, 10).getAverage();
        purge(connection);
        start(connection, OBJECTS, 10_000);
        var single = times(connection, 20, 1);
        var ten = times(connection, 20, 10);
        var fifty = times(connection, 10, 50);
        found("start_tasks of 10,000 objects: one task", single.getAverage());
        found("start_tasks of 10,000 objects: ten tasks, average", ten.getAverage());
        found("start_tasks of 10,000 objects: ten tasks, slowest", ten.getMax());
        found("start_tasks of 10,000 objects: fifty tasks", fifty.getMax());
        found("start_tasks, ten of 10,000 against ten of 100", ten.getAverage() / tenOfFew);
        found("start_tasks, a task alone against one of ten", 10 * single.getAverage() / ten.getAverage());
        found("start_tasks, a task of ten", ten.getAverage() / 10);
        found("start_tasks, a task of fifty", fifty.getAverage() / 50);
        found("start_tasks, slowest call of ten against the average", ten.getMax() / ten.getAverage());
    }

    private void emptyMaps() throws SQLException {
        try (var database = server.create("contract")) {
            database.run("select pgflow.create_flow('work')");
            database.run("select pgflow.add_step('work', 'm1', step_type => 'map')");
            for (int i = 2; i <= EMPTY_MAPS; i++) {
                database.run("select pgflow.add_step('work', 'm%d', '{m%d}', step_type => 'map')".formatted(i, i - 1));
            }
            inTransaction(database, connection -> {
                long began = System.nanoTime();
                query(connection, "select run_id from pgflow.start_flow('work', '[]')", rows -> {});
                double milliseconds = (System.nanoTime() - began) / 1e6;
                found("chain of 49 empty maps", milliseconds / 1_000);
                found("chain of 49 empty maps, a step", milliseconds / EMPTY_MAPS);
                query(
                        connection,
                        "select max(extract(epoch from completed_at - started_at) * 1000), count(*) filter (where status = 'completed') from pgflow.step_states",
                        row -> {
                            if (row.getInt(2) != EMPTY_MAPS) {
                                throw new IllegalStateException(row.getInt(2) + " of the empty maps are completed");
                            }
                            found("an empty map, from started to completed", row.getDouble(1));
                        });
            });
        }
    }

    /** Milliseconds. */
    private static double start(Connection connection, String array, int elements) throws SQLException {
        var input = new String[1];
        query(
                connection,
                "select " + array.replace("?", Integer.toString(elements)),
                row -> input[0] = row.getString(1));
        try (var start = connection.prepareStatement("select run_id from pgflow.start_flow('work', ?::jsonb)")) {
            start.setString(1, input[0]);
            long began = System.nanoTime();
            start.executeQuery().close();
            return (System.nanoTime() - began) / 1e6;
        }
    }

    private static void purge(Connection connection) throws SQLException {
        query(connection, "select pgmq.purge_queue('work')", rows -> {});
    }

    private static DoubleSummaryStatistics times(Connection connection, int calls, int tasks) throws SQLException {
        var times = new DoubleSummaryStatistics();
        for (int i = 0; i < calls; i++) {
            times.accept(startTasks(connection, tasks));
        }
        return times;
    }

    /** Milliseconds for one call, the reading of its messages apart. */
    private static double startTasks(Connection connection, int tasks) throws SQLException {
        var messages = new ArrayList<Long>();
        query(
                connection,
                "select msg_id from pgmq.read('work', 60, " + tasks + ")",
                row -> messages.add(row.getLong(1)));
        try (var start = connection.prepareStatement("select * from pgflow.start_tasks('work', ?, ?)")) {
            start.setArray(1, connection.createArrayOf("int8", messages.toArray()));
            start.setObject(2, UUID.fromString(SetWise.WORKER));
            long began = System.nanoTime();
            int started = 0;
            try (var rows = start.executeQuery()) {
                while (rows.next()) {
                    started++;
                }
            }
            double milliseconds = (System.nanoTime() - began) / 1e6;
            if (started != tasks) {
                throw new IllegalStateException(started + " of " + tasks + " tasks were started");
            }
            return milliseconds;
        }
    }

    /** What is done with a row. */
    private interface Row {
        void read(ResultSet row) throws SQLException;
    }

    private static void query(Connection connection, String sql, Row each) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                each.read(rows);
            }
        }
    }
}
