package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** A worker that stops loses nothing. */
@ExtendWith(TestFlows.Extension.class)
class WorkerStopTest {

    @Test
    void finishesWhatItHasInHandAndLeavesTheRestToAnother(TestFlows flows) throws Exception {
        var inHand = new CountDownLatch(4);
        var stopping = new CountDownLatch(1);
        var calls = new ConcurrentHashMap<Integer, Integer>();
        var builder = Flow.ofList("stop_in_the_middle", Integer.class);
        var doubled = builder.map("double", Integer.class, builder.input(), n -> {
            calls.merge(n, 1, Integer::sum);
            inHand.countDown();
            stopping.await();
            return 2 * n;
        });
        var flow = builder.build();
        var first = flows.start(flows.options().concurrency(4), flow);
        var run = first.client().start(flow, IntStream.range(0, 20).boxed().toList());
        inHand.await();
        var closing = Thread.ofVirtual().start(first::close);
        stopping.countDown();
        closing.join();
        assertThat(flows.db()
                        .fetchSingle(
                                "select count(*) from pgflow.step_tasks where status = 'started' and flow_slug = 'stop_in_the_middle'")
                        .get(0))
                .isEqualTo(0L);

        var end = flows.start(flow).client().await(run, TestFlows.LIMIT);

        assertThat(end.of(doubled))
                .isEqualTo(IntStream.range(0, 20).map(n -> 2 * n).boxed().toList());
        assertThat(calls.values()).containsOnly(1);
    }

    @Test
    void interruptsHandlersWhenTheGraceIsOverAndHandsTheirTasksBackUncharged(TestFlows flows) throws Exception {
        var inHand = new CountDownLatch(1);
        var hold = new AtomicBoolean(true);
        var builder = Flow.of("grace_is_over", String.class).maxAttempts(1);
        var step = builder.step("wait", Integer.class, builder.input(), builder.context(), (input, task) -> {
            inHand.countDown();
            if (hold.get()) {
                new CountDownLatch(1).await();
            }
            return task.attempt();
        });
        var flow = builder.build();
        var first = flows.start(flows.options().grace(Duration.ZERO), flow);
        var run = first.client().start(flow, "x");
        inHand.await();

        first.close();
        hold.set(false);

        assertThat(flows.start(flow).client().await(run, TestFlows.LIMIT).of(step))
                .isEqualTo(1);
    }

    @Test
    void handsATaskBackWhoseHandlerIgnoresItsInterrupt(TestFlows flows) throws Exception {
        var inHand = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        var first = new AtomicBoolean(true);
        var builder = Flow.of("stubborn_handler", String.class).maxAttempts(1);
        var step = builder.step("ignore", String.class, input -> {
            boolean stubborn = first.getAndSet(false);
            inHand.countDown();
            while (stubborn && release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    // as bad handlers do
                }
            }
            return stubborn ? "first" : "second";
        });
        var flow = builder.build();
        var worker = flows.start(flows.options().grace(Duration.ZERO), flow);
        var run = worker.client().start(flow, "x");
        inHand.await();

        worker.close();
        var end = flows.start(flow).client().await(run, TestFlows.LIMIT);
        release.countDown();

        assertThat(end.of(step)).isEqualTo("second");
    }

    @Test
    void isMarkedAsStoppedAndClosesTwiceWithoutHarm(TestFlows flows) {
        var builder = Flow.of("closes_twice", String.class);
        builder.step("a", String.class, s -> s);
        var worker = flows.start(builder.build());

        worker.close();
        worker.close();

        assertThat(flows.db()
                        .fetch("select stopped_at is not null from pgflow.workers where queue_name = 'closes_twice'")
                        .intoSet(0))
                .isEqualTo(Set.of(true));
    }

    @Test
    void finishesWhenAnOperatorDeprecatesIt(TestFlows flows) throws Exception {
        var builder = Flow.of("deprecated", String.class);
        builder.step("a", String.class, s -> s);
        var flow = builder.build();
        var worker = flows.start(flows.options().heartbeatInterval(Duration.ofMillis(100)), flow);
        flows.db().execute("update pgflow.workers set deprecated_at = now() where queue_name = 'deprecated'");

        assertTimeoutPreemptively(TestFlows.LIMIT, worker::awaitStop);

        worker.client().start(flow, "x"); // and claims nothing more
        assertThat(flows.queued(flow)).isEqualTo(1);
    }

    @Test
    void endsWithoutADatabase(TestFlows flows, PGSimpleDataSource direct) throws Exception {
        var database = new UnreliableDatabase(direct);
        var inHand = new CountDownLatch(1);
        var builder = Flow.of("no_database", String.class);
        builder.step("a", String.class, s -> {
            inHand.countDown();
            new CountDownLatch(1).await();
            return s;
        });
        var flow = builder.build();
        var worker = Workers.connect(database).grace(Duration.ofSeconds(1)).start(flow);
        var run = flows.client().start(flow, "x");
        inHand.await();
        UnreliableDatabase.await(database.breakBefore(""));

        assertTimeoutPreemptively(Duration.ofSeconds(1 + 5 + 15), worker::close);

        assertThat(worker.snapshot().getFirst().state()).isEqualTo(WorkerState.STOPPED);
        assertThat(flows.tasks(run)).as("others will find it").containsEntry("a", "started");
    }
}
