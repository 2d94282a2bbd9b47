package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.WorkerSnapshot.Reason;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** How a worker stands can be seen at any time. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class WorkerSnapshotTest {

    private final CountDownLatch began = new CountDownLatch(1);
    private final CountDownLatch mayEnd = new CountDownLatch(1);

    private Flow<String> flow(String slug) {
        var flow = Flow.of(slug, String.class).timeout(Duration.ofSeconds(50));
        flow.step("a", String.class, s -> {
            began.countDown();
            mayEnd.await();
            return s;
        });
        return flow.build();
    }

    /** The first that is as it should be. */
    private static WorkerSnapshot await(RunningWorkers workers, Predicate<WorkerSnapshot> wanted) {
        long giveUpAt = System.nanoTime() + TestFlows.LIMIT.toNanos();
        while (true) {
            var snapshot = workers.snapshot().getFirst();
            if (wanted.test(snapshot)) {
                return snapshot;
            }
            if (System.nanoTime() > giveUpAt) {
                throw new AssertionError("still " + snapshot);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static boolean waitsFor(WorkerSnapshot snapshot, Reason reason) {
        return snapshot.waiting().filter(wait -> wait.reason() == reason).isPresent();
    }

    @Test
    void followsAWorkerFromIdleToStopped(TestFlows flows) throws Exception {
        var flow = flow("seen");
        var id = UUID.randomUUID();
        var workers = flows.start(flows.options().name("seer").workerId(id).concurrency(2), flow);

        var idle = await(workers, s -> waitsFor(s, Reason.ANNOUNCEMENT));
        assertThat(idle.id()).isEqualTo(id);
        assertThat(idle.name()).isEqualTo("seer-seen");
        assertThat(idle.flowSlug()).isEqualTo("seen");
        assertThat(idle.state()).isEqualTo(WorkerState.RUNNING);
        assertThat(idle.activeTasks()).isEmpty();
        assertThat(idle.freeSlots()).isLessThanOrEqualTo(2);
        assertThat(idle.listening()).isTrue();
        assertThat(idle.lastHeartbeat()).isPresent();
        assertThat(idle.waiting().orElseThrow().until()).isPresent();

        var run = workers.client().start(flow, "x");
        began.await();
        var busy =
                await(workers, s -> s.activeTasks().size() == 1 && s.waiting().isPresent());
        var task = busy.activeTasks().getFirst();
        assertThat(task.runId()).isEqualTo(run);
        assertThat(task.stepSlug()).isEqualTo("a");
        assertThat(task.taskIndex()).isZero();
        assertThat(task.attempt()).isEqualTo(1);
        assertThat(Duration.between(task.since(), task.deadline())).isEqualTo(Duration.ofSeconds(50));
        assertThat(task.interrupted()).isFalse();
        assertThat(busy.since()).isEqualTo(idle.since());

        workers.client().start(flow, "y");
        var full = await(workers, s -> waitsFor(s, Reason.FREE_SLOT));
        assertThat(full.freeSlots()).isZero();
        assertThat(full.waiting().orElseThrow().until())
                .as("nothing else ends it")
                .isEmpty();

        var closing = Thread.ofPlatform().start(workers::close);
        var draining = await(workers, s -> waitsFor(s, Reason.LAST_TASKS));
        assertThat(draining.state()).isEqualTo(WorkerState.STOPPING);
        mayEnd.countDown();
        closing.join();

        var stopped = workers.snapshot().getFirst();
        assertThat(stopped.state()).isEqualTo(WorkerState.STOPPED);
        assertThat(stopped.activeTasks()).isEmpty();
        assertThat(stopped.freeSlots()).isEqualTo(2);
        assertThat(stopped.waiting()).isEmpty();
    }

    @Test
    void showsADeprecatedWorkerThatHasTasksInHand(TestFlows flows) throws Exception {
        var flow = flow("seen_deprecated");
        var workers = flows.start(flows.options().heartbeatInterval(Duration.ofMillis(100)), flow);
        workers.client().start(flow, "x");
        began.await();
        var first = workers.snapshot().getFirst().lastHeartbeat().orElseThrow();
        await(workers, s -> s.lastHeartbeat().orElseThrow().isAfter(first));

        flows.db().execute("update pgflow.workers set deprecated_at = now() where queue_name = 'seen_deprecated'");
        var deprecated = await(workers, s -> s.state() != WorkerState.RUNNING);
        var beat = workers.snapshot().getFirst().lastHeartbeat().orElseThrow();
        await(workers, s -> s.lastHeartbeat().orElseThrow().isAfter(beat)); // it goes on, also during the drain
        mayEnd.countDown();

        assertThat(deprecated.state()).isIn(WorkerState.DEPRECATED, WorkerState.STOPPING);
        await(workers, s -> s.state() == WorkerState.STOPPED);
    }
}
