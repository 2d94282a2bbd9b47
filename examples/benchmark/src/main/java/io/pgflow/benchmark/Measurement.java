package io.pgflow.benchmark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Something to measure once in each round.
 *
 * @param section where its figures stand, so that it can be left out
 * @param name for those who wait
 * @param body measures and adds to the results
 */
public record Measurement(String section, String name, Body body) {

    /** What a measurement does. */
    @FunctionalInterface
    public interface Body {
        /** Measures once. */
        void run() throws Exception;
    }

    /** Takes all measurements in each of the rounds. */
    static void takeAll(List<Measurement> measurements, int rounds) throws Exception {
        for (int round = 0; round < rounds; round++) {
            var order = order(measurements, round, rounds);
            for (int i = 0; i < order.size(); i++) {
                var measurement = order.get(i);
                long began = System.nanoTime();
                measurement.body().run();
                System.err.printf(
                        "round %d of %d, %d of %d: %s, %.1f s%n",
                        round + 1, rounds, i + 1, order.size(), measurement.name(), (System.nanoTime() - began) / 1e9);
            }
        }
    }

    /** Each round begins with another one, and every second goes backwards, so that none is always first, and none always follows the same other. */
    static List<Measurement> order(List<Measurement> measurements, int round, int rounds) {
        var order = new ArrayList<>(measurements);
        if (round % 2 == 1) {
            Collections.reverse(order);
        }
        Collections.rotate(order, -round * order.size() / rounds);
        return order;
    }
}
