package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.pgflow.testing.Invariants;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** What a handler throws fails its attempt, and nothing else. */
@ExtendWith(TestFlows.Extension.class)
class HandlerFailureTest {

    private final DataSource database;

    HandlerFailureTest(DataSource database) {
        this.database = database;
    }

    @AfterEach
    void theDatabaseAgreesWithItself() {
        Invariants.check(database);
    }

    private static Flow<String> flow(String slug, Handler<String, String> handler) {
        var builder = Flow.of(slug, String.class).maxAttempts(5);
        builder.step("a", String.class, handler);
        return builder.build();
    }

    private static String row(TestFlows flows, String slug) {
        return flows.db()
                .fetchSingle(
                        "select concat_ws(' ', status, attempts_count, error_message) from pgflow.step_tasks where flow_slug = ?",
                        slug)
                .get(0, String.class);
    }

    private static void failsOnce(TestFlows flows, Flow<String> flow) {
        var client = flows.start(flow).client();
        assertThatThrownBy(() -> client.await(client.start(flow, "x"), TestFlows.LIMIT))
                .isInstanceOf(PgflowException.RunFailed.class);
    }

    @Test
    void givesUpAtOnceWhereTryingAgainIsPointless(TestFlows flows) {
        failsOnce(flows, flow("pointless", input -> {
            throw new PermanentFailure("no such order");
        }));

        assertThat(row(flows, "pointless")).isEqualTo("failed 1 io.pgflow.PermanentFailure: no such order");
    }

    @Test
    void recognizesPointlessnessInsideOfOtherExceptions(TestFlows flows) {
        failsOnce(flows, flow("pointless_inside", input -> {
            throw new ExecutionException(
                    "a thread failed", new PermanentFailure("no", new IllegalStateException("why")));
        }));

        assertThat(row(flows, "pointless_inside"))
                .isEqualTo("failed 1 java.util.concurrent.ExecutionException: a thread failed\n"
                        + "caused by io.pgflow.PermanentFailure: no\ncaused by java.lang.IllegalStateException: why");
    }

    @Test
    void triesAgainWhenTheHandlerSaysSoAndCountsTheAttempt(TestFlows flows) throws Exception {
        var builder = Flow.of("later", String.class).baseDelay(Duration.ofHours(1));
        var step = builder.step("a", Integer.class, builder.input(), builder.context(), (input, task) -> {
            if (task.attempt() == 1) {
                throw new RetryLater(Duration.ZERO, "not yet");
            }
            return task.attempt();
        });

        assertThat(flows.runToEnd(builder.build(), "x").of(step)).isEqualTo(2);
    }

    @Test
    void waitsAsLongAsTheHandlerSaysRoundedUpToSeconds(TestFlows flows) throws Exception {
        var flow = flow("much_later", input -> {
            throw new RetryLater(Duration.ofSeconds(99).plusMillis(1), "busy", new IllegalStateException("503"));
        });
        flows.start(flow).client().start(flow, "x");

        flows.await(
                "exists (select from pgflow.step_tasks where flow_slug = 'much_later' and status = 'queued' and attempts_count = 1)");

        assertThat(flows.db()
                        .fetchSingle("select extract(epoch from vt - clock_timestamp()) from pgmq.q_much_later")
                        .get(0, double.class))
                .isBetween(60.0, 100.0);
        assertThat(row(flows, "much_later"))
                .isEqualTo("queued 1 io.pgflow.RetryLater: busy\ncaused by java.lang.IllegalStateException: 503");
    }

    @Test
    void survivesErrorsAndOverflowingStacksAndExceptionsThatCannotBeRead(TestFlows flows) throws Exception {
        var attempts = new AtomicInteger();
        var flow = flow("errors", input -> switch (attempts.incrementAndGet()) {
            case 1 -> throw new AssertionError("an error");
            case 2 -> deeper(0) + "";
            case 3 ->
                throw new IllegalStateException() {
                    @Override
                    public String getMessage() {
                        throw new IllegalArgumentException("nobody reads this");
                    }
                };
            default -> "done";
        });
        flows.retryAtOnce(flow);
        assertThat(flows.runToEnd(flow, "x").output()).hasValue("{\"a\": \"done\"}");
        assertThat(attempts).hasValue(4);
    }

    @SuppressWarnings({"NullAway", "OverrideThrowableToString"})
    static List<RuntimeException> hardToTell() {
        return List.of(
                new RuntimeException() {
                    @Override
                    public String toString() {
                        return getMessage(); // null
                    }
                },
                new RuntimeException() {
                    @Override
                    public synchronized Throwable getCause() {
                        throw new LinkageError("nobody learns this");
                    }
                },
                new RuntimeException("line\nbreak") {
                    @Override
                    public StackTraceElement[] getStackTrace() {
                        throw new IllegalArgumentException("nor where it was");
                    }
                },
                new RetryLater(Duration.ofSeconds(1), "later") {
                    @Override
                    public Duration after() {
                        throw new IllegalArgumentException("nor when");
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("hardToTell")
    void recordsWhatItCanOfAnExceptionThatIsHardToTell(RuntimeException thrown, TestFlows flows) {
        var builder = Flow.of("hard_to_tell" + thrown.getClass().getName().replaceAll("\\D", ""), String.class)
                .maxAttempts(1);
        builder.step("a", String.class, input -> {
            throw thrown;
        });
        var flow = builder.build();

        failsOnce(flows, flow);

        assertThat(row(flows, flow.slug()))
                .startsWith("failed 1 ")
                .containsAnyOf(
                        thrown.getClass().getName(),
                        "what the handler threw cannot be told: java.lang.IllegalArgumentException");
    }

    @SuppressWarnings("InfiniteRecursion")
    private static int deeper(int depth) {
        return deeper(depth + 1) + 1;
    }

    /** Fault 23: errors of any length went into logs and tables. */
    @Test
    void cutsWhatItStoresAndLogsOfAnError(TestFlows flows) {
        var logger = (Logger) LoggerFactory.getLogger("io.pgflow");
        var log = new ListAppender<ILoggingEvent>();
        log.start();
        logger.addAppender(log);
        try {
            failsOnce(flows, flow("long_error", input -> {
                throw new PermanentFailure("x".repeat(5_000_000), new IllegalStateException("y\0".repeat(1_000_000)));
            }));
        } finally {
            logger.detachAppender(log);
        }

        assertThat(row(flows, "long_error"))
                .hasSize("failed 1 ".length() + 4_000)
                .endsWith("xxx…");
        assertThat(List.copyOf(log.list)).isNotEmpty().allSatisfy(line -> {
            assertThat(line.getFormattedMessage()).hasSizeLessThan(5_000);
            for (var e = line.getThrowableProxy(); e != null; e = e.getCause()) {
                assertThat(String.valueOf(e.getMessage())).hasSizeLessThan(5_000);
            }
        });
    }
}
