package io.pgflow.benchmark.sql;

import io.pgflow.benchmark.Figure.Name;
import io.pgflow.benchmark.Measurement;
import io.pgflow.benchmark.Parallel;
import io.pgflow.benchmark.Results;
import io.pgflow.benchmark.Server;
import io.pgflow.benchmark.Texts;
import io.pgflow.benchmark.sql.Flows.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What an element of a map costs, from the start of its run to the end: of small maps and of large ones, over the input and over what another
 * step gave, with small elements and with large ones.
 *
 * @param sizes how many elements a map has, the smallest first
 * @param inAll how many elements all maps of one size have together, at least
 */
record Maps(Server server, Results results, List<Integer> sizes, int inAll) {
    private static final int CONNECTIONS = 2;

    /** How many bytes of JSON one call may have. */
    private static final int CALL = 8 << 20;

    /** Each kind of map with each size. */
    List<Measurement> measurements() {
        var measurements = new ArrayList<Measurement>();
        for (var shape : List.of(Shape.ROOT_MAP, Shape.DEPENDENT_MAP)) {
            for (int bytes : new int[] {100, 1_000}) {
                for (int elements : sizes) {
                    var name = name(shape, bytes, elements);
                    measurements.add(new Measurement(
                            name.section(),
                            name.row() + " of " + name.column(),
                            () -> measure(shape, bytes, elements)));
                }
            }
        }
        return measurements;
    }

    static Name name(Shape shape, int bytes, int elements) {
        var kind = shape == Shape.ROOT_MAP ? "map over the input" : "map over another step's output";
        return new Name(
                "Maps", "%s, %,d B an element".formatted(kind, bytes), "%,d elements a map".formatted(elements));
    }

    private void measure(Shape shape, int bytes, int elements) throws Exception {
        int maps = Math.max(1, inAll / elements);
        var array = array(elements, bytes);
        try (var database = Flows.define(server.create("maps"), shape)) {
            var unstarted = new AtomicInteger(maps);
            var left = new AtomicInteger(maps * (shape == Shape.ROOT_MAP ? elements : elements + 1));
            double seconds = Parallel.seconds(database, CONNECTIONS, connection -> {
                int atOnce = Math.clamp(CALL / array.length(), 1, maps);
                Flows.start(connection, shape == Shape.ROOT_MAP ? array : "1", unstarted, atOnce);
                try (var work = new SetWise(connection, array)) {
                    work.work(left);
                }
            });
            SqlBench.requireAllCompleted(database, maps);
            results.add(name(shape, bytes, elements), "µs an element", seconds * 1e6 / elements / maps);
        }
    }

    private static String array(int elements, int bytes) {
        var texts = Texts.of(bytes);
        return IntStream.range(0, elements)
                .mapToObj(i -> '"' + texts.get(i % texts.size()) + '"')
                .collect(Collectors.joining(",", "[", "]"));
    }
}
