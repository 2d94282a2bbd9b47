package io.pgflow.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MeasurementTest {
    private static final List<Measurement> ALL = Stream.of("a", "b", "c", "d", "e", "f")
            .map(name -> new Measurement("section", name, () -> {}))
            .toList();

    @Test
    void takesAllInEachRoundInAnotherOrder() {
        assertThat(order(0)).containsExactly("a", "b", "c", "d", "e", "f");
        assertThat(order(1)).containsExactly("d", "c", "b", "a", "f", "e");
        assertThat(order(2)).containsExactly("e", "f", "a", "b", "c", "d");
    }

    private static List<String> order(int round) {
        return Measurement.order(ALL, round, 3).stream().map(Measurement::name).toList();
    }
}
