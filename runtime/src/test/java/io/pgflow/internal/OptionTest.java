package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.Flow;
import io.pgflow.PgflowException.InvalidOption;
import io.pgflow.WorkerOptions.Compile;
import io.pgflow.WorkerOptions.SignalStrategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options come from the code and the environment, and are checked wherever they come from. */
class OptionTest {

    private static WorkerSettings environment(String... namesAndValues) {
        var environment = new HashMap<String, String>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            environment.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return WorkerSettings.of(Map.of(), environment);
    }

    @Test
    void haveTheirDefaults() {
        var settings = environment();

        assertThat(settings.concurrency()).isEqualTo(10);
        assertThat(settings.batchSize()).isEqualTo(10);
        assertThat(settings.grace()).isEqualTo(Duration.ofSeconds(30));
        assertThat(settings.signalStrategy()).isEmpty();
        assertThat(settings.minPollInterval()).isEqualTo(Duration.ofSeconds(1));
        assertThat(settings.maxPollInterval()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.notifyFallback()).isEqualTo(Duration.ofSeconds(30));
        assertThat(settings.notifyThrottle()).isEqualTo(Duration.ofMillis(10));
        assertThat(settings.heartbeatInterval()).isEqualTo(Duration.ofSeconds(4));
        assertThat(settings.orphanedAfter()).isEqualTo(Duration.ofSeconds(12));
        assertThat(settings.recoveryInterval()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.compile()).isEqualTo(Compile.MISSING);
        assertThat(settings.workerId()).isEmpty();
        var flow = Flow.of("orders", String.class);
        flow.step("a", String.class, s -> s);
        assertThat(settings.name(flow.build())).isEqualTo("pgflow-orders");
    }

    @Test
    void ofTheEnvironmentBeatTheCodes() {
        var settings = WorkerSettings.of(
                Map.of(Options.CONCURRENCY, 5, Options.GRACE, Duration.ofSeconds(1)),
                Map.of("PGFLOW_CONCURRENCY", " 64 ", "PGFLOW_BATCH_SIZE", "", "PGFLOW_SIGNAL_STRATEGY", "Polling"));

        assertThat(settings.concurrency()).isEqualTo(64);
        assertThat(settings.batchSize()).isEqualTo(64);
        assertThat(settings.grace()).isEqualTo(Duration.ofSeconds(1));
        assertThat(settings.signalStrategy()).hasValue(SignalStrategy.POLLING);
    }

    @Test
    void claimNoMoreThanAStatementTakesWell() {
        assertThat(environment("PGFLOW_CONCURRENCY", "1000").batchSize()).isEqualTo(200);
        assertThat(environment("PGFLOW_CONCURRENCY", "5", "PGFLOW_BATCH_SIZE", "20")
                        .batchSize())
                .isEqualTo(5);
        assertThat(environment("PGFLOW_BATCH_SIZE", "3").batchSize()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({"500ms, 500", "2s, 2000", "2 S, 2000", "3m, 180000", "1h, 3600000", "PT1.5S, 1500", "0ms, 0"})
    void areDurationsAsPeopleWriteThem(String text, long millis) {
        assertThat(environment("PGFLOW_GRACE", text).grace()).isEqualTo(Duration.ofMillis(millis));
    }

    @ParameterizedTest
    @CsvSource({"500, 500ms", "1000, 1s", "90000, 90s", "120000, 2m", "3600000, 1h", "0, 0s", "-1500, -1500ms"})
    void areShownTheSameWay(long millis, String text) {
        assertThat(Durations.format(Duration.ofMillis(millis))).isEqualTo(text);
    }

    @Test
    void areShownAsIsoHasThemWhereTheyAreFinerThanMilliseconds() {
        assertThat(Durations.format(Duration.ofNanos(1))).isEqualTo("PT0.000000001S");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PGFLOW_CONCURRENCY | 0 | 1 to 100000",
                "PGFLOW_CONCURRENCY | many | 1 to 100000",
                "PGFLOW_BATCH_SIZE | 201 | 1 to 200",
                "PGFLOW_GRACE | 30 | 0s to 24h, written like 500ms, 30s, 5m, 1h or PT30S",
                "PGFLOW_GRACE | -PT1S | 0s to 24h, written like 500ms, 30s, 5m, 1h or PT30S",
                "PGFLOW_MAX_POLL_INTERVAL | 301s | 10ms to 5m, written like 500ms, 30s, 5m, 1h or PT30S",
                "PGFLOW_NOTIFY_FALLBACK | 601s | 100ms to 10m, written like 500ms, 30s, 5m, 1h or PT30S",
                "PGFLOW_NOTIFY_THROTTLE | 61s | 0s to 1m, written like 500ms, 30s, 5m, 1h or PT30S",
                "PGFLOW_HEARTBEAT_INTERVAL | 99ms | 100ms to 1m, written like 500ms, 30s, 5m, 1h or PT30S",
                "PGFLOW_RECOVERY_INTERVAL | PT6M | 100ms to 5m, written like 500ms, 30s, 5m, 1h or PT30S",
                "PGFLOW_SIGNAL_STRATEGY | telepathy | notify or polling",
                "PGFLOW_FAILED_START | none | stop_all or leave_others",
                "PGFLOW_COMPILE | recompile | missing or verify",
                "PGFLOW_NAME | a b | 1 to 40 letters, digits, dots, hyphens and underscores",
            })
    void areRefusedWithTheVariableTheValueAndWhatIsAllowed(String variable, String value, String allowed) {
        assertThatThrownBy(() -> environment(variable, value))
                .isInstanceOf(InvalidOption.class)
                .hasMessage("option %s is '%s'; allowed: %s", variable, value, allowed);
    }

    @Test
    void areRefusedWhereTheyContradictEachOther() {
        assertThatThrownBy(() -> environment("PGFLOW_MIN_POLL_INTERVAL", "6s"))
                .isInstanceOf(InvalidOption.class)
                .hasMessage("option minPollInterval is '6s'; allowed: at most maxPollInterval, which is 5s");
    }

    @Test
    void areRefusedInCodeToo() {
        assertThatThrownBy(() -> Options.CONCURRENCY.checked(0))
                .isInstanceOf(InvalidOption.class)
                .hasMessage("option concurrency is '0'; allowed: 1 to 100000");
        assertThatThrownBy(() -> Options.GRACE.checked(Duration.ofSeconds(-1)))
                .isInstanceOf(InvalidOption.class)
                .hasMessageStartingWith("option grace is '-1s'; allowed: 0s to 24h");
    }

    @Test
    void areAllInTheReadmesTable() throws IOException {
        var table = Options.ALL.stream().map(Option::row).collect(Collectors.joining("\n"));

        assertThat(Files.readString(Path.of("..", "README.md")))
                .contains("\n\n| option | environment | meaning | default | allowed |\n|---|---|---|---|---|\n" + table
                        + "\n\n");
    }
}
