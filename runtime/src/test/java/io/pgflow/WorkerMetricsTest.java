package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.pgflow.WorkerEvent.OutcomesRecorded;
import io.pgflow.WorkerEvent.TaskRecovered;
import io.pgflow.internal.Engine.Backlog;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class WorkerMetricsTest {

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final WorkerMetrics metrics = new WorkerMetrics();
    private final Recorder recorder = new Recorder();

    private static void await(BooleanSupplier condition) {
        long giveUpAt = System.nanoTime() + TestFlows.LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(giveUpAt);
            LockSupport.parkNanos(Duration.ofMillis(2).toNanos());
        }
    }

    private double gauge(String name, String flow) {
        return registry.get(name).tag("flow", flow).gauge().value();
    }

    private double count(String name, String... tags) {
        return registry.get(name).tags(tags).counter().count();
    }

    private long timed(String... tags) {
        return registry.get("pgflow.task").tags(tags).timer().count();
    }

    @Test
    void countsWhatBecameOfTasksAndRuns(TestFlows flows) throws Exception {
        var builder = Flow.ofList("metered", Integer.class).maxAttempts(2);
        builder.map("odd", Integer.class, builder.input(), n -> {
            if (n % 2 == 0) {
                throw new IllegalArgumentException("even");
            }
            return n;
        });
        var flow = builder.build();
        flows.retryAtOnce(flow);
        metrics.bindTo(registry);
        try (var workers = flows.start(flows.options().listener(metrics), flow)) {
            workers.client().await(workers.client().start(flow, List.of(1, 3, 5)), TestFlows.LIMIT);
            workers.client().start(flow, List.of(2));
            flows.await("not exists (select from pgflow.runs where flow_slug = 'metered' and status = 'started')");
        }

        assertThat(timed("flow", "metered", "step", "odd", "outcome", "completed"))
                .isEqualTo(3);
        assertThat(timed("flow", "metered", "step", "odd", "outcome", "failed")).isEqualTo(2);
        assertThat(registry.get("pgflow.task").timers())
                .allSatisfy(timer ->
                        assertThat(timer.totalTime(TimeUnit.NANOSECONDS)).isPositive());
        assertThat(count("pgflow.task.retries", "flow", "metered", "step", "odd"))
                .isEqualTo(1);
        assertThat(count("pgflow.runs", "flow", "metered", "outcome", "completed"))
                .isEqualTo(1);
        assertThat(count("pgflow.runs", "flow", "metered", "outcome", "failed")).isEqualTo(1);
        assertThat(registry.get("pgflow.task.wait")
                        .tag("flow", "metered")
                        .timer()
                        .count())
                .as("attempts started")
                .isEqualTo(5);
        assertThat(registry.get("pgflow.recording.batch").summary().totalAmount())
                .isEqualTo(5);
        assertThat(registry.get("pgflow.recording").timer().count()).isBetween(1L, 5L);
        assertThat(registry.get("pgflow.poll").tag("flow", "metered").timer().count())
                .isPositive();
        assertThat(registry.get("pgflow.database.outage").gauge().value()).isZero();
    }

    @Test
    void showsSlotsQueueAndListenerOfWorkersUntilTheyStop(TestFlows flows) throws Exception {
        var hold = new CountDownLatch(1);
        var builder = Flow.ofList("gauged", Integer.class);
        builder.map("wait", Integer.class, builder.input(), n -> {
            hold.await();
            return n;
        });
        var flow = builder.build();
        flows.compile(flow);
        UUID run = flows.client().start(flow, List.of(1, 2, 3, 4, 5, 6, 7));
        flows.db().execute("update pgmq.q_gauged set vt = clock_timestamp() - interval '90 seconds'");
        metrics.bindTo(registry);
        var workers =
                flows.start(flows.options().concurrency(3).listener(metrics).listener(recorder), flow);

        await(() -> gauge("pgflow.slots.used", "gauged") == 3);
        await(() -> gauge("pgflow.queue.tasks", "gauged") == 4); // asks again now and then until it is so
        assertThat(gauge("pgflow.slots.free", "gauged")).isZero();
        assertThat(registry.get("pgflow.queue.age").timeGauge().value(TimeUnit.SECONDS))
                .isBetween(90.0, 90.0 + TestFlows.LIMIT.toSeconds());
        assertThat(gauge("pgflow.listening", "gauged")).isEqualTo(1);
        assertThat(registry.get("pgflow.task.wait").timer().max(TimeUnit.SECONDS))
                .as("claim latency")
                .isBetween(90.0, 90.0 + TestFlows.LIMIT.toSeconds());

        hold.countDown();
        workers.client().await(run, TestFlows.LIMIT);
        workers.close();
        assertThat(gauge("pgflow.slots.used", "gauged")).isZero();
        assertThat(gauge("pgflow.slots.free", "gauged")).isZero();
        assertThat(gauge("pgflow.listening", "gauged")).isZero();
        assertThat(recorder.all(OutcomesRecorded.class)).isNotEmpty();
    }

    @Test
    void countsWhatWasRecoveredLateAndAway() {
        metrics.bindTo(registry);
        var attempt = new WorkerEvent.TaskAttempt(UUID.randomUUID(), "f", UUID.randomUUID(), "s", 0, 1);
        var now = Instant.now();

        metrics.on(new TaskRecovered(now, "f", attempt.runId(), "s", 0, true, now));
        metrics.on(new TaskRecovered(now, "f", attempt.runId(), "s", 0, false, now));
        metrics.on(new WorkerEvent.TaskLate(now, attempt, Duration.ofSeconds(3)));
        metrics.on(new WorkerEvent.TaskTimedOut(now, attempt, Duration.ofSeconds(3), Optional.of(now)));
        metrics.on(new WorkerEvent.TaskUnresponsive(now, attempt));
        metrics.on(new WorkerEvent.OutageBegan(now, "x"));

        assertThat(count("pgflow.task.recovered", "flow", "f", "step", "s", "outcome", "requeued"))
                .isEqualTo(1);
        assertThat(count("pgflow.task.recovered", "flow", "f", "step", "s", "outcome", "failed"))
                .isEqualTo(1);
        assertThat(timed("outcome", "late")).isEqualTo(1);
        assertThat(timed("outcome", "timed_out")).isEqualTo(1);
        assertThat(count("pgflow.task.retries")).isEqualTo(1);
        assertThat(count("pgflow.task.unresponsive")).isEqualTo(1);
        assertThat(registry.get("pgflow.database.outage").gauge().value()).isEqualTo(1);
    }

    @Test
    void asksTheDatabaseOnceInAFewSecondsHoweverOftenItIsRead() {
        var asked = new AtomicInteger();
        var answers = new Semaphore(0);
        var clock = new AtomicLong();
        var waiting = new WaitingTasks(
                () -> {
                    answers.acquireUninterruptibly();
                    return Optional.of(new Backlog(6 + asked.incrementAndGet(), Duration.ofMillis(1500)));
                },
                clock::get);

        assertThat(waiting.count()).as("not yet known").isNaN();
        answers.release();
        await(() -> waiting.count() == 7);
        for (int i = 0; i < 1_000; i++) {
            assertThat(waiting.seconds()).isEqualTo(1.5);
        }
        assertThat(asked).hasValue(1);

        clock.addAndGet(Duration.ofSeconds(6).toNanos());
        assertThat(waiting.count()).as("known, but too old").isEqualTo(7);
        answers.release();
        await(() -> waiting.count() == 8);
    }
}
