package io.pgflow.benchmark.sql;

import io.pgflow.benchmark.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The flows that the SQL functions are measured with, each the only one of its database, by the name {@link #SLUG}. */
public final class Flows {
    /** The flow's name, and its queue's. */
    public static final String SLUG = "work";

    /** How many runs one call starts. */
    static final int STARTED_AT_ONCE = 1_000;

    private Flows() {}

    /** The shape of a flow. */
    public enum Shape {
        /** One step, {@code a}. */
        SINGLE("a"),
        /** Three steps, one after the other. */
        CHAIN("a; b: a; c: b"),
        /** Four steps, of which two run side by side. */
        DIAMOND("a; b: a; c: a; d: b, c"),
        /** A map {@code m} over the input. */
        ROOT_MAP("m map"),
        /** A map {@code m} over what a step {@code a} gives. */
        DEPENDENT_MAP("a; m map: a");

        private final String steps;

        Shape(String steps) {
            this.steps = steps;
        }

        private List<String> steps() {
            return List.of(steps.split("; "));
        }

        /** How many tasks a run has, maps apart. */
        public int tasks() {
            return steps().size();
        }
    }

    /** Defines the flow, and enters a worker. */
    public static Database define(Database database, Shape shape) {
        database.run("select pgflow.create_flow('" + SLUG + "')");
        for (var step : shape.steps()) {
            var parts = step.split("[: ,]+");
            boolean map = parts.length > 1 && parts[1].equals("map");
            var dependencies = Arrays.stream(parts).skip(map ? 2 : 1).toList();
            database.run("select pgflow.add_step('%s', '%s', '{%s}', step_type => '%s')"
                    .formatted(SLUG, parts[0], String.join(",", dependencies), map ? "map" : "single"));
        }
        database.run("select pgflow.register_worker('" + SetWise.WORKER + "', '" + SLUG + "', 'benchmark')");
        return database;
    }

    /** Starts runs with the same input, {@value #STARTED_AT_ONCE} a call, until none is left to be taken. */
    public static void start(Connection connection, String input, AtomicInteger left) throws SQLException {
        start(connection, input, left, STARTED_AT_ONCE);
    }

    /** The same with fewer a call, for larger inputs. */
    static void start(Connection connection, String input, AtomicInteger left, int atOnce) throws SQLException {
        try (var start = connection.prepareStatement("select count(*) from pgflow.start_flows(?, ?)")) {
            for (int runs = take(left, atOnce); runs > 0; runs = take(left, atOnce)) {
                var inputs = new String[runs];
                Arrays.fill(inputs, input);
                start.setString(1, SLUG);
                start.setArray(2, connection.createArrayOf("jsonb", inputs));
                start.executeQuery().close();
            }
        }
    }

    /** Takes some of what is left; zero at the end. */
    static int take(AtomicInteger left, int most) {
        return Math.min(most, Math.max(0, left.getAndAdd(-most)));
    }
}
