package io.pgflow.benchmark;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The same work on several connections at once. */
public final class Parallel {

    private Parallel() {}

    /** What one connection does. */
    @FunctionalInterface
    public interface Work {
        /** Does it to its end. */
        void on(Connection connection) throws Exception;
    }

    /** Runs the work on so many connections, each with a thread of its own, and returns how many seconds that took once all were connected. */
    public static double seconds(Database database, int connections, Work work) throws Exception {
        var opened = new ArrayList<Connection>();
        try {
            for (int i = 0; i < connections; i++) {
                opened.add(database.connect());
            }
            var failures = new ConcurrentLinkedQueue<Exception>();
            long began = System.nanoTime();
            var threads = opened.stream()
                    .map(connection -> Thread.ofPlatform().start(() -> {
                        try {
                            work.on(connection);
                        } catch (Exception e) {
                            failures.add(e);
                            abort(opened); // or the others would wait for what this one does not do any more
                        }
                    }))
                    .toList();
            for (var thread : threads) {
                thread.join();
            }
            double seconds = (System.nanoTime() - began) / 1e9;
            if (!failures.isEmpty()) {
                throw failures.element();
            }
            return seconds;
        } finally {
            for (var connection : opened) {
                connection.close();
            }
        }
    }

    private static void abort(List<Connection> connections) {
        for (var connection : connections) {
            try {
                connection.abort(Runnable::run);
            } catch (SQLException e) {
                // it was broken already
            }
        }
    }
}
