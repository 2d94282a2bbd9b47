package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.pgflow.WorkerEvent;
import io.pgflow.WorkerEvent.ListenerLost;
import io.pgflow.WorkerEvent.OutageBegan;
import io.pgflow.WorkerEvent.OutageEnded;
import io.pgflow.WorkerEvent.PollStarted;
import io.pgflow.WorkerEvent.TaskFailed;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class EventsTest {

    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private final List<WorkerEvent> told = new CopyOnWriteArrayList<>();
    private final Task task =
            new Task("orders", UUID.randomUUID(), "charge", 0, 1, 1, Duration.ofSeconds(60), "{}", null, Duration.ZERO);
    private final Attempt attempt = new Attempt(task, UUID.randomUUID(), NOON, type -> null);

    @Test
    void areNotMadeWhereNobodyListens() {
        InstantSource noClock = () -> {
            throw new AssertionError("an event was made");
        };
        var events = new Events(List.of(), noClock);
        var completed = new Outcome.Completed(attempt, "1");

        assertThatCode(() -> {
                    events.workerStarted(attempt.workerId(), "a", "b");
                    events.pollStarted(attempt.workerId(), "orders", 0);
                    events.pollEnded(attempt.workerId(), "orders", 0, 0, 0, 0);
                    events.taskStarted(attempt);
                    events.recorded(
                            completed,
                            new Report(
                                    task.runId(),
                                    Report.Effect.COMPLETED,
                                    null,
                                    Report.RunEnd.COMPLETED,
                                    null,
                                    false,
                                    null));
                    events.outcomesRecorded(1, 0);
                    events.taskUnresponsive(attempt);
                    events.listenerLost("x");
                    events.listenerBack(NOON);
                    events.workerStopped(attempt.workerId(), "a", "b", Duration.ZERO);
                    events.close();
                })
                .doesNotThrowAnyException();
    }

    @Test
    void areDroppedAndCountedWhenTooManyWait() throws Exception {
        var hold = new CountDownLatch(1);
        var busy = new CountDownLatch(1);
        var events = new Events(
                List.of(event -> {
                    busy.countDown();
                    hold.await();
                    told.add(event);
                }),
                () -> NOON);
        var log = new ListAppender<ILoggingEvent>();
        log.start();
        var logger = (Logger) LoggerFactory.getLogger(Delivery.class);
        logger.addAppender(log);
        logger.setAdditive(false);
        try {
            events.pollStarted(attempt.workerId(), "orders", -1);
            busy.await();
            for (int i = 0; i < Delivery.ROOM + 100; i++) {
                events.pollStarted(attempt.workerId(), "orders", i);
            }
        } finally {
            logger.detachAppender(log);
            logger.setAdditive(true);
        }
        hold.countDown();
        events.close();

        assertThat(events.dropped()).isEqualTo(100);
        assertThat(log.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .hasSize(7) // the 1st, 2nd, 4th, … 64th
                .last()
                .asString()
                .startsWith("event=events_dropped listener=")
                .endsWith(" dropped=64 waiting=10000");
        assertThat(told).hasSize(Delivery.ROOM + 1);
        assertThat(told.getLast()).isEqualTo(new PollStarted(NOON, attempt.workerId(), "orders", Delivery.ROOM - 1));
    }

    @Test
    void tellOneOutageUntilAllAreAnsweredAgain() {
        var times = new ArrayList<>(List.of(0L, 0L, 9L, 9L));
        var events = new Events(List.of(told::add), () -> NOON.plusSeconds(times.removeFirst()));

        events.answered("claiming");
        events.unanswered("claiming", "[08006] gone");
        events.unanswered("claiming", "[08006] gone");
        events.unanswered("recording", "[57P01] going");
        events.answered("claiming");
        events.answered("claiming");
        events.answered("recording");
        events.answered("recording");
        events.close();

        assertThat(told)
                .containsExactly(
                        new OutageBegan(NOON, "claiming: [08006] gone"),
                        new OutageEnded(NOON.plusSeconds(9), "claiming: [08006] gone", NOON));
    }

    @Test
    void cutErrors() {
        var events = new Events(List.of(told::add), () -> NOON);
        var failed = new Outcome.Failed(attempt, "x".repeat(1_000_000), "y".repeat(10), false, null);

        events.recorded(
                failed,
                new Report(
                        task.runId(),
                        Report.Effect.FAILED,
                        null,
                        Report.RunEnd.FAILED,
                        "x".repeat(1_000_000),
                        false,
                        null));
        events.listenerLost("x".repeat(1_000_000));
        events.unanswered("recording", "x".repeat(1_000_000));
        events.close();

        assertThat(told)
                .hasSize(4)
                .allSatisfy(event -> assertThat(event.toString()).hasSizeLessThan(1_500));
        assertThat(told.getFirst())
                .isInstanceOfSatisfying(
                        TaskFailed.class, e -> assertThat(e.error()).hasSize(1_000));
        assertThat(told.get(2))
                .isInstanceOfSatisfying(
                        ListenerLost.class, e -> assertThat(e.what()).hasSize(1_000));
    }
}
