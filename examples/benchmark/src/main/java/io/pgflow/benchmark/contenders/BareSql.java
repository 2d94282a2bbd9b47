package io.pgflow.benchmark.contenders;

import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Parallel;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.sql.Floor;
import io.pgflow.benchmark.sql.Flows;
import io.pgflow.benchmark.sql.Flows.Shape;
import io.pgflow.benchmark.sql.OneByOne;
import java.sql.Connection;
import java.util.concurrent.atomic.AtomicInteger;

/** What JDBC alone does on our tables, without handlers. */
public enum BareSql implements Contender {
    /** The least SQL that makes the same rows pass through the same states. */
    FLOOR(
            "floor",
            "the least SQL on PgFlow's tables, by arrays of 200 (inserts: 1,000) on 2 connections; no graph, no claim numbers, no workers",
            2,
            1),
    /** A call per task, as the contract has it. */
    ONE_CALL_PER_TASK(
            "one call per task",
            "pgmq.read of 10, start_tasks, complete_task for each, by bare JDBC on 8 connections; bulk start by start_flows of 1,000",
            8,
            0.1);

    private final String title;
    private final String settings;
    private final int connections;
    private final double share;

    BareSql(String title, String settings, int connections, double share) {
        this.title = title;
        this.settings = settings;
        this.connections = connections;
        this.share = share;
    }

    @Override
    public String title() {
        return title;
    }

    @Override
    public String settings() {
        return settings;
    }

    @Override
    public double share() {
        return share;
    }

    @Override
    public boolean does(Work work) {
        return work == Work.SINGLE;
    }

    @Override
    public Trial open(Server server, Load load) {
        var database = server.create("bare");
        if (this == FLOOR) {
            Floor.define(database);
        } else {
            Flows.define(database, Shape.SINGLE);
        }
        return new Trial() {
            @Override
            public Database database() {
                return database;
            }

            @Override
            public void startOne() throws Exception {
                Parallel.seconds(database, 1, connection -> start(connection, new AtomicInteger(1)));
            }

            @Override
            public void startAll() throws Exception {
                var left = new AtomicInteger(load.runs());
                Parallel.seconds(database, 2, connection -> start(connection, left));
            }

            @Override
            public double work() throws Exception {
                var left = new AtomicInteger(load.runs());
                return Parallel.seconds(database, connections, connection -> drain(connection, left));
            }

            @Override
            public void close() {
                database.close();
            }
        };
    }

    private void start(Connection connection, AtomicInteger left) throws Exception {
        if (this == FLOOR) {
            try (var floor = new Floor(connection)) {
                floor.insert(left);
            }
        } else {
            Flows.start(connection, "1", left);
        }
    }

    private void drain(Connection connection, AtomicInteger left) throws Exception {
        if (this == FLOOR) {
            try (var floor = new Floor(connection)) {
                floor.work(left);
            }
        } else {
            try (var protocol = new OneByOne(connection)) {
                protocol.work(left);
            }
        }
    }
}
