package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.pgflow.WorkerEvent.TaskCompleted;
import io.pgflow.WorkerEvent.TaskStarted;
import io.pgflow.WorkerEvent.WorkerStopped;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A listener, whatever it does, holds up nobody. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class ListenerTest {

    private static final int TASKS = 300;

    private final Recorder recorder = new Recorder();

    private static Flow<Integer> flow(String slug) {
        var builder = Flow.of(slug, Integer.class);
        builder.step("add", Integer.class, n -> n + 1);
        return builder.build();
    }

    private static void runAll(TestFlows flows, RunningWorkers workers, Flow<Integer> flow)
            throws InterruptedException {
        workers.client().startAll(flow, IntStream.range(0, TASKS).boxed().toList());
        flows.await("not exists (select from pgflow.runs where flow_slug = '%s' and status = 'started')"
                .formatted(flow.slug()));
    }

    @Test
    void mayBlockForEverWhileTheWorkerWorksDrainsAndStops(TestFlows flows) throws Exception {
        var never = new CountDownLatch(1);
        var blocked = new CountDownLatch(1);
        var flow = flow("blocked_listener");
        var workers = flows.start(
                flows.options()
                        .listener(event -> {
                            blocked.countDown();
                            while (never.getCount() > 0) { // not before the test is over
                                try {
                                    never.await();
                                } catch (InterruptedException e) {
                                    // as bad listeners do
                                }
                            }
                        })
                        .listener(recorder),
                flow);
        blocked.await();

        runAll(flows, workers, flow);
        assertTimeoutPreemptively(TestFlows.LIMIT, workers::close);

        assertThat(recorder.all(TaskCompleted.class)).as("the other listener's").hasSize(TASKS);
        assertThat(recorder.events().getLast()).isInstanceOf(WorkerStopped.class);
        never.countDown();
    }

    @Test
    void mayThrowAtEachEvent(TestFlows flows) throws Exception {
        var flow = flow("throwing_listener");
        try (var log = LogCapture.of("io.pgflow")) {
            var workers = flows.start(
                    flows.options().listener(event -> {
                        recorder.on(event);
                        if (event instanceof TaskStarted) {
                            throw new AssertionError("listener is\nbroken");
                        }
                        throw new Exception("listener is\nbroken");
                    }),
                    flow);

            runAll(flows, workers, flow);
            workers.close();

            assertThat(log.messages("listener_failed"))
                    .hasSizeBetween(5, 20)
                    .first()
                    .asString()
                    .startsWith("WARN event=listener_failed listener=")
                    .endsWith(" failures=1 error=\"java.lang.Exception: listener is\\nbroken\"");
        }
        assertThat(recorder.all(TaskCompleted.class)).hasSize(TASKS);
    }

    @Test
    void isToldEverythingBeforeCloseReturns(TestFlows flows) throws Exception {
        var stopping = new CountDownLatch(1);
        var flow = flow("told_all");
        var workers = flows.start(
                flows.options().listener(event -> {
                    stopping.await();
                    recorder.on(event);
                }),
                flow);
        runAll(flows, workers, flow);
        assertThat(recorder.events()).isEmpty();

        var closing = Thread.ofPlatform().start(workers::close);
        flows.await("exists (select from pgflow.workers where queue_name = 'told_all' and stopped_at is not null)");
        stopping.countDown();
        closing.join();

        assertThat(recorder.all(TaskCompleted.class)).hasSize(TASKS);
        assertThat(recorder.events().getLast()).isInstanceOf(WorkerStopped.class);
    }

    @Test
    void mayCloseTheWorkersItself(TestFlows flows) throws Exception {
        var closed = new CountDownLatch(1);
        var holder = new RunningWorkers[1];
        var started = new CountDownLatch(1);
        var flow = flow("closed_by_listener");
        holder[0] = flows.start(
                flows.options().listener(recorder).listener(event -> {
                    started.await();
                    if (event instanceof TaskCompleted) {
                        holder[0].close();
                        closed.countDown();
                    }
                }),
                flow);
        started.countDown();
        holder[0].client().start(flow, 1);

        assertTimeoutPreemptively(TestFlows.LIMIT, () -> closed.await());
        assertThat(recorder.events().getLast()).isInstanceOf(WorkerStopped.class);
    }
}
