package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.RunningWorkers;
import io.pgflow.TestFlows;
import io.pgflow.WorkerOptions.SignalStrategy;
import io.pgflow.WorkerSnapshot.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A worker that has nothing to do is told of what comes: the next poll that it would make by itself is further away than a test waits. */
@ExtendWith(TestFlows.Extension.class)
class IdleWorkerTest {

    private static final Duration FAR = Duration.ofMinutes(5);

    private final SynchronousQueue<Long> called = new SynchronousQueue<>();

    private Flow<Integer> flow(String slug) {
        var builder = Flow.of(slug, Integer.class).timeout(FAR.multipliedBy(2)); // no poll before for a task in hand
        builder.step("a", Integer.class, n -> {
            called.offer(System.nanoTime(), TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS);
            return n;
        });
        return builder.build();
    }

    private static RunningWorkers start(TestFlows flows, Flow<Integer> flow, Duration throttle) {
        return flows.start(
                flows.options()
                        .signalStrategy(SignalStrategy.NOTIFY)
                        .notifyThrottle(throttle)
                        .notifyFallback(FAR)
                        .maxPollInterval(FAR)
                        .minPollInterval(FAR),
                flow);
    }

    private static void awaitIdle(RunningWorkers worker) {
        long giveUpAt = System.nanoTime() + TestFlows.LIMIT.toNanos();
        Instant nextPoll = Instant.now().plus(FAR.dividedBy(2));
        while (worker.snapshot().getFirst().waiting().stream()
                .noneMatch(wait -> wait.reason() == Reason.ANNOUNCEMENT
                        && wait.until().filter(nextPoll::isBefore).isPresent())) {
            assertThat(System.nanoTime()).as("idle in time").isLessThan(giveUpAt);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Starts a run; how long it took until its handler was called. */
    private Duration startRun(TestFlows flows, Flow<Integer> flow) throws InterruptedException {
        var client = flows.client();
        long began = System.nanoTime();
        client.start(flow, 1);
        Long ended = called.poll(TestFlows.LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(ended).as("the time of the handler's call").isNotNull();
        return Duration.ofNanos(ended - began);
    }

    @Test
    void isToldOfARunSoonAfterAnother(TestFlows flows) throws Exception {
        var flow = flow("idle");
        var worker = start(flows, flow, Duration.ofMillis(10));

        var took = new ArrayList<Duration>();
        for (int n = 0; n < 20; n++) {
            awaitIdle(worker);
            startRun(flows, flow);
            LockSupport.parkNanos(Duration.ofMillis(100)
                    .toNanos()); // so soon that a worker that slows down when idle would be in its first pause
            took.add(startRun(flows, flow));
        }
        flows.awaitAllEnded();

        Collections.sort(took);
        System.out.printf("picked up on an idle worker in %s (median) to %s%n", took.get(10), took.getLast());
    }

    /** Nothing is announced of the second, neither at once nor when the silence is over. */
    @Test
    void looksForWhatCameInTheSilenceAfterAnAnnouncement(TestFlows flows) throws Exception {
        var flow = flow("silent");
        var silence = Duration.ofSeconds(2);
        var worker = start(flows, flow, silence);
        awaitIdle(worker);

        startRun(flows, flow);
        startRun(flows, flow);
        flows.awaitAllEnded();

        assertThat(flows.db()
                        .fetchSingle(
                                "select throttle_interval_ms from pgmq.notify_insert_throttle where queue_name = 'silent'")
                        .get(0))
                .isEqualTo((int) silence.toMillis());
    }
}
