package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

@Timeout(60)
class RunInputsTest {

    /** A database in which every run has the same input. */
    private static final class Database extends Queries {
        final Map<UUID, Integer> fetched = new ConcurrentHashMap<>();
        final AtomicInteger largest = new AtomicInteger();
        private final String input;

        Database(String input) {
            super(new Session(new PGSimpleDataSource(), Duration.ofSeconds(1)));
            this.input = input;
        }

        @Override
        Map<UUID, String> runInputs(Set<UUID> runs) {
            runs.forEach(run -> fetched.merge(run, 1, Integer::sum));
            largest.accumulateAndGet(runs.size(), Math::max);
            return runs.stream().collect(Collectors.toMap(run -> run, run -> input));
        }
    }

    @Test
    void keepsTheLatest() {
        var database = new Database("1");
        var inputs = new RunInputs(database);
        var first = UUID.randomUUID();

        assertThat(inputs.get(first)).isEqualTo("1");
        assertThat(inputs.get(first)).isEqualTo("1");

        assertThat(database.fetched).isEqualTo(Map.of(first, 1));
    }

    @Test
    void forgetsSmallOnesToo() {
        var database = new Database("1");
        var inputs = new RunInputs(database);
        var first = UUID.randomUUID();
        inputs.get(first);

        Stream.generate(UUID::randomUUID).limit(100_000).forEach(inputs::get);
        inputs.get(first);

        assertThat(database.fetched.get(first)).isEqualTo(2);
    }

    @Test
    void fetchesNotTooManyAtOnce() {
        var database = new Database("1");
        var inputs = new RunInputs(database);
        var runs = Stream.generate(UUID::randomUUID).limit(10_000).toList();

        runs.forEach(inputs::expect);
        runs.forEach(inputs::get);

        assertThat(database.fetched).hasSize(10_000);
        assertThat(database.largest).hasValueLessThanOrEqualTo(100);
    }

    @Test
    void goesOnAfterAnError() {
        var fails = new AtomicInteger(1);
        var database = new Queries(new Session(new PGSimpleDataSource(), Duration.ofSeconds(1))) {
            @Override
            Map<UUID, String> runInputs(Set<UUID> runs) {
                if (fails.getAndDecrement() > 0) {
                    throw new OutOfMemoryError("not really");
                }
                return runs.stream().collect(Collectors.toMap(run -> run, run -> "1"));
            }
        };
        var inputs = new RunInputs(database);
        var run = UUID.randomUUID();

        assertThatThrownBy(() -> inputs.get(run)).hasMessageContaining("not really");
        assertThat(inputs.get(run)).isEqualTo("1");
    }
}
