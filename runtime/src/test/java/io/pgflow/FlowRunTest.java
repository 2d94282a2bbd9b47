package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A run goes through its flow as the definition says. */
@ExtendWith(TestFlows.Extension.class)
class FlowRunTest {

    record Order(String id, int lines) {}

    record Receipt(String text, int parcels) {}

    @Test
    void goesThroughADiamondAndRunsItsSidesAtOnce(TestFlows flows) throws Exception {
        var together = new CyclicBarrier(2); // opens only while both sides are running
        var flow = Flow.of("diamond", Order.class);
        var top = flow.step("top", Order.class, order -> new Order(order.id() + "!", order.lines()));
        var left = flow.step("left", String.class, top, order -> {
            together.await();
            return "left of " + order.id();
        });
        var right = flow.step("right", Integer.class, top, order -> {
            together.await();
            return order.lines() * 2;
        });
        var bottom = flow.step("bottom", Receipt.class, left, right, Receipt::new);

        var end = flows.runToEnd(flow.build(), new Order("a", 3));

        assertThat(end.of(bottom)).isEqualTo(new Receipt("left of a!", 6));
        assertThat(end.output()).hasValue("{\"bottom\": {\"text\": \"left of a!\", \"parcels\": 6}}");
        assertThat(end.steps()).extracting(StepState::slug).containsExactly("top", "left", "right", "bottom");
    }

    @Test
    void mapsTheElementsOfItsInputAtOnceAndKeepsTheirOrder(TestFlows flows) throws Exception {
        var together = new CyclicBarrier(3);
        var flow = Flow.ofList("squares", Integer.class);
        var squares = flow.map("square", Integer.class, flow.input(), n -> {
            together.await();
            return n * n;
        });

        var end = flows.runToEnd(flow.build(), List.of(1, 2, 3));

        assertThat(end.of(squares)).containsExactly(1, 4, 9);
    }

    @Test
    void mapsWhatAMapGaveAndSumsItUp(TestFlows flows) throws Exception {
        var flow = Flow.of("map_of_maps", Integer.class);
        var numbers = flow.list(
                "numbers", Integer.class, n -> IntStream.range(0, n).boxed().toList());
        var doubled = flow.map("double", Integer.class, numbers, n -> 2 * n);
        var labels = flow.map("label", String.class, doubled, n -> "n" + n);
        var sum = flow.step(
                "sum",
                Integer.class,
                doubled,
                list -> list.stream().mapToInt(Integer::intValue).sum());

        var end = flows.runToEnd(flow.build(), 4);

        assertThat(end.of(labels)).containsExactly("n0", "n2", "n4", "n6");
        assertThat(end.of(sum)).isEqualTo(12);
    }

    @Test
    void passesAnEmptyListThroughItsMapsWithoutATask(TestFlows flows) throws Exception {
        var called = new AtomicInteger();
        var flow = Flow.ofList("empty_map", String.class);
        var first = flow.map("first", String.class, flow.input(), s -> s + called.incrementAndGet());
        var second = flow.map("second", String.class, first, s -> s + called.incrementAndGet());
        var count = flow.step("count", Integer.class, second, List::size);

        var end = flows.runToEnd(flow.build(), List.of());

        assertThat(end.of(count)).isZero();
        assertThat(end.of(second)).isEmpty();
        assertThat(called).hasValue(0);
    }

    @Test
    void mapsAThousandElementsEachOnce(TestFlows flows) throws Exception {
        var calls = new ConcurrentLinkedQueue<Integer>();
        var flow = Flow.of("thousand", Integer.class);
        var numbers = flow.list(
                "numbers", Integer.class, n -> IntStream.range(0, n).boxed().toList());
        var doubled = flow.map("double", Integer.class, numbers, n -> {
            calls.add(n);
            return 2 * n;
        });

        var end = flows.runToEnd(flow.build(), 1000);

        assertThat(calls)
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, 1000).boxed().toList());
        assertThat(end.of(doubled))
                .isEqualTo(IntStream.range(0, 1000).map(n -> 2 * n).boxed().toList());
    }

    @Test
    void triesAStepThatFailsTwiceAThirdTime(TestFlows flows) throws Exception {
        Queue<Integer> attempts = new ConcurrentLinkedQueue<>();
        var builder = Flow.of("third_time", String.class);
        var step = builder.step("stubborn", String.class, builder.input(), builder.context(), (input, task) -> {
            attempts.add(task.attempt());
            if (task.attempt() < 3) {
                throw new IllegalStateException("not yet");
            }
            return input + " done";
        });
        var flow = builder.build();
        flows.retryAtOnce(flow);

        var end = flows.runToEnd(flow, "it is");

        assertThat(end.of(step)).isEqualTo("it is done");
        assertThat(attempts).containsExactly(1, 2, 3);
    }

    @Test
    void waitsBetweenAttemptsAsLongAsTheDatabaseSays(TestFlows flows) throws Exception {
        Queue<Long> starts = new ConcurrentLinkedQueue<>();
        var builder = Flow.of("pauses", String.class).baseDelay(Duration.ofSeconds(1));
        var step = builder.step("slow", String.class, builder.input(), builder.context(), (input, task) -> {
            starts.add(System.nanoTime());
            if (task.attempt() == 1) {
                throw new IllegalStateException("not yet");
            }
            return input;
        });

        var end = flows.runToEnd(builder.build(), "x");

        assertThat(end.of(step)).isEqualTo("x");
        long first = starts.remove();
        assertThat(Duration.ofNanos(starts.remove() - first))
                .isBetween(Duration.ofMillis(1900), Duration.ofSeconds(10));
    }

    @Test
    void failsTheRunWithTheStepThatFailsForGoodAndLeavesNoMessage(TestFlows flows) throws Exception {
        var builder = Flow.of("fails", String.class).maxAttempts(1);
        var siblingStarted = new CountDownLatch(1);
        var mayEnd = new CountDownLatch(1);
        builder.step("bad", String.class, input -> {
            siblingStarted.await();
            throw new IllegalArgumentException("no way", new IllegalStateException("because"));
        });
        var sibling = builder.step("sibling", String.class, input -> {
            siblingStarted.countDown();
            mayEnd.await();
            return "too late";
        });
        builder.step("never", String.class, sibling, s -> s);
        var flow = builder.build();
        var client = flows.start(flow).client();

        var run = client.start(flow, "x");
        assertThatThrownBy(() -> client.await(run, TestFlows.LIMIT))
                .isInstanceOfSatisfying(PgflowException.RunFailed.class, failed -> {
                    assertThat(failed.run()).isEqualTo(run);
                    assertThat(failed.step()).hasValue("bad");
                    assertThat(failed.error())
                            .isEqualTo(
                                    "java.lang.IllegalArgumentException: no way\ncaused by java.lang.IllegalStateException: because");
                });
        assertThat(flows.queued(flow)).isZero();
        assertThat(flows.tasks(run)).containsExactlyInAnyOrderEntriesOf(Map.of("bad", "failed", "sibling", "started"));
        mayEnd.countDown();
    }

    @Test
    void failsAnAttemptAtItsDeadlineWithoutWaitingForItsHandler(TestFlows flows) throws Exception {
        var interrupted = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        var builder = Flow.of("deadline", String.class);
        var step = builder.step("slow", String.class, builder.input(), builder.context(), (input, task) -> {
            if (task.attempt() > 1) {
                return "second attempt";
            }
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            release.await(); // this handler would not give up
            return "first attempt";
        });
        var flow = builder.build();
        flows.retryAtOnce(flow);
        flows.db().execute("update pgflow.flows set opt_timeout = 1 where flow_slug = 'deadline'");

        var end = flows.runToEnd(flow, "x");
        interrupted.await();
        release.countDown();

        assertThat(end.of(step)).isEqualTo("second attempt");
        assertThat(flows.db()
                        .fetchSingle("select error_message from pgflow.step_tasks where run_id = ?", end.id())
                        .get(0))
                .isEqualTo("Task timed out after 1s");
    }

    @Test
    void failsTheTasksOfAStepThatTheCodeDoesNotKnow(TestFlows flows) throws Exception {
        var builder = Flow.of("changed", String.class).maxAttempts(1);
        builder.step("known", String.class, s -> s);
        var flow = builder.build();
        var client = flows.start(flow).client();
        flows.db().execute("select pgflow.add_step('changed', 'unknown')");

        assertThatThrownBy(() -> client.await(client.start(flow, "x"), TestFlows.LIMIT))
                .isInstanceOf(PgflowException.RunFailed.class)
                .hasMessageContaining("step 'unknown' of flow 'changed' is not known to this worker");
    }

    @Test
    void readsTheRunsInputInAStepThatComesAfterOthers(TestFlows flows) throws Exception {
        var flow = Flow.of("late_input", Order.class);
        var lines = flow.step("lines", Integer.class, Order::lines);
        var text = flow.step("text", String.class, flow.input(), lines, (order, n) -> order.id() + n);

        assertThat(flows.runToEnd(flow.build(), new Order("o", 7)).of(text)).isEqualTo("o7");
    }

    /** Without announcements an idle worker would look again after 30 s. */
    @Test
    void isPickedUpByAnIdleWorkerWithoutWaitingForItsNextPoll(TestFlows flows) throws Exception {
        var builder = Flow.of("announced", Integer.class);
        var step = builder.step("next", Integer.class, n -> n + 1);
        var flow = builder.build();
        var client = flows.start(flow).client();

        for (int n = 0; n < 5; n++) {
            assertThat(client.await(client.start(flow, n), Duration.ofSeconds(20))
                            .of(step))
                    .isEqualTo(n + 1);
        }
    }

    @Test
    void startsTheSameRunOnceForTheSameId(TestFlows flows) throws Exception {
        var builder = Flow.of("same_id", Integer.class);
        var step = builder.step("next", Integer.class, n -> n + 1);
        var flow = builder.build();
        var client = flows.start(flow).client();
        var id = UUID.randomUUID();

        assertThat(client.start(flow, 1, id)).isEqualTo(id);
        assertThat(client.start(flow, 5, id)).isEqualTo(id);

        assertThat(client.await(id, TestFlows.LIMIT).of(step)).isEqualTo(2);
    }

    @Test
    void refusesToStartWithAnotherShapeAndListsTheDifferences(TestFlows flows) {
        var first = Flow.of("shape", String.class);
        first.step("a", String.class, s -> s);
        flows.start(first.build());
        var second = Flow.of("shape", String.class);
        var a = second.step("a", String.class, s -> s);
        second.step("b", String.class, a, s -> s);

        assertThatThrownBy(() -> flows.start(second.build()))
                .isInstanceOfSatisfying(
                        PgflowException.FlowMismatch.class,
                        mismatch -> assertThat(mismatch.differences())
                                .containsExactly(
                                        "Step count differs: 2 vs 1",
                                        "Step at index 1: missing in second shape (first has 'b')"));
    }
}
