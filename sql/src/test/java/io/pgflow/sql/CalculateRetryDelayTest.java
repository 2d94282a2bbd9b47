package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(CoreDatabase.class)
class CalculateRetryDelayTest {

    @ParameterizedTest
    @CsvSource({"5, 1, 10", "5, 2, 20", "5, 0, 5", "0, 3, 0", "1.5, 1, 3", "0.3, 1, 0", "1, 10, 1024", "2.7, 0, 2"})
    void doublesTheBaseWithEachAttemptAndRoundsDown(String base, int attempts, int seconds, Flows db) {
        assertThat(db.number("select pgflow.calculate_retry_delay(?::numeric, ?)", base, attempts))
                .isEqualTo(seconds);
    }

    @ParameterizedTest
    @CsvSource({"5, 15", "5, 40", "1, 2000000000", "0.001, 64"})
    void staysWithinADay(String base, int attempts, Flows db) {
        assertThat(db.number("select pgflow.calculate_retry_delay(?::numeric, ?)", base, attempts))
                .isEqualTo(86_400);
    }

    @Test
    void isTheBaseWhereThatIsLongerThanADay(Flows db) {
        assertThat(db.number("select pgflow.calculate_retry_delay(100000, 3)")).isEqualTo(100_000);
    }

    @ParameterizedTest
    @CsvSource({"null, 1", "5, null", "null, null"})
    void isUnknownWhereSomethingIs(String base, String attempts, Flows db) {
        assertThat(db.line("select pgflow.calculate_retry_delay(%s, %s)".formatted(base, attempts)))
                .isEqualTo("-");
    }

    @Test
    void takesNamedArguments(Flows db) {
        assertThat(db.number("select pgflow.calculate_retry_delay(attempts_count => 1, base_delay => 5)"))
                .isEqualTo(10);
    }
}
