package io.pgflow.benchmark;

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

    /** Takes all measurements in each of the rounds. Each round begins with another one, so that none is always first. */
    static void takeAll(List<Measurement> measurements, int rounds) throws Exception {
        for (int round = 0; round < rounds; round++) {
            int first = round * measurements.size() / rounds;
            for (int i = 0; i < measurements.size(); i++) {
                var measurement = measurements.get((first + i) % measurements.size());
                long began = System.nanoTime();
                measurement.body().run();
                System.err.printf(
                        "round %d of %d, %d of %d: %s, %.1f s%n",
                        round + 1,
                        rounds,
                        i + 1,
                        measurements.size(),
                        measurement.name(),
                        (System.nanoTime() - began) / 1e9);
            }
        }
    }
}
