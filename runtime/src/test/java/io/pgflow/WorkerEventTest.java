package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.WorkerEvent.PollEnded;
import io.pgflow.WorkerEvent.PollStarted;
import io.pgflow.WorkerEvent.RunCompleted;
import io.pgflow.WorkerEvent.RunFailed;
import io.pgflow.WorkerEvent.TaskAttempt;
import io.pgflow.WorkerEvent.TaskCompleted;
import io.pgflow.WorkerEvent.TaskFailed;
import io.pgflow.WorkerEvent.TaskLate;
import io.pgflow.WorkerEvent.TaskStarted;
import io.pgflow.WorkerEvent.TaskTimedOut;
import io.pgflow.WorkerEvent.TaskUnresponsive;
import io.pgflow.WorkerEvent.WorkerStarted;
import io.pgflow.WorkerEvent.WorkerStopped;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What listeners are told of tasks and runs. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(120)
class WorkerEventTest {

    private final Recorder recorder = new Recorder();

    @Test
    void tellsWhatAWorkerWentThroughInItsOrder(TestFlows flows) throws Exception {
        var builder = Flow.of("in_order", String.class);
        var first = builder.step("first", String.class, s -> s + 1);
        builder.step("second", String.class, first, s -> s + 2);
        var flow = builder.build();
        var before = Instant.now();
        var workers = flows.start(flows.options().listener(recorder), flow);
        var run = workers.client().start(flow, "x");
        workers.client().await(run, TestFlows.LIMIT);
        workers.close();

        var worker = flows.db()
                .fetchSingle("select worker_id from pgflow.workers where queue_name = 'in_order'")
                .get(0, UUID.class);
        var one = new TaskAttempt(worker, "in_order", run, "first", 0, 1);
        var two = new TaskAttempt(worker, "in_order", run, "second", 0, 1);
        var events = recorder.events();
        assertThat(events.getFirst())
                .isInstanceOfSatisfying(
                        WorkerStarted.class,
                        started -> assertThat(started)
                                .isEqualTo(new WorkerStarted(started.at(), worker, "pgflow-in_order", "in_order")));
        assertThat(events)
                .as("the second may start before it is told that the first was recorded")
                .containsSubsequence(started(0, one), completed(0, one), completed(1, two), ended(run))
                .containsSubsequence(started(0, one), started(1, two), completed(1, two), ended(run));
        assertThat(recorder.all(TaskStarted.class)).hasSize(2);
        assertThat(recorder.all(TaskCompleted.class)).hasSize(2);
        assertThat(recorder.all(RunCompleted.class)).hasSize(1);
        assertThat(events.getLast()).isInstanceOfSatisfying(WorkerStopped.class, stopped -> {
            assertThat(stopped)
                    .isEqualTo(new WorkerStopped(stopped.at(), worker, "pgflow-in_order", "in_order", stopped.lived()));
            assertThat(stopped.lived()).isBetween(Duration.ZERO, Duration.between(before, Instant.now()));
        });
        assertThat(events).allSatisfy(e -> assertThat(e.at()).isBetween(before, Instant.now()));
    }

    private TaskStarted started(int index, TaskAttempt task) {
        var event = recorder.all(TaskStarted.class).get(index);
        assertThat(event.waited())
                .hasValueSatisfying(waited -> assertThat(waited).isBetween(Duration.ZERO, TestFlows.LIMIT));
        return new TaskStarted(event.at(), task, event.waited());
    }

    private TaskCompleted completed(int index, TaskAttempt task) {
        var event = recorder.all(TaskCompleted.class).get(index);
        assertThat(event.duration()).isBetween(Duration.ZERO, TestFlows.LIMIT);
        return new TaskCompleted(event.at(), task, event.duration());
    }

    private RunCompleted ended(UUID run) {
        return new RunCompleted(recorder.all(RunCompleted.class).getFirst().at(), "in_order", run);
    }

    @Test
    void tellsOfPolls(TestFlows flows) throws Exception {
        var hold = new CountDownLatch(1);
        var builder = Flow.ofList("polled", Integer.class);
        builder.map("wait", Integer.class, builder.input(), n -> {
            hold.await();
            return n;
        });
        var flow = builder.build();
        var workers = flows.start(flows.options().concurrency(5).listener(recorder), flow);
        var run = workers.client().start(flow, List.of(1, 2, 3));

        var found = recorder.await(PollEnded.class, poll -> poll.tasksStarted() > 0);
        recorder.await(PollStarted.class, poll -> poll.activeTasks() == 3);
        hold.countDown();
        workers.client().await(run, TestFlows.LIMIT);

        assertThat(found.messagesRead()).isEqualTo(found.tasksStarted());
        assertThat(found.duration()).isBetween(Duration.ofNanos(1), TestFlows.LIMIT);
        assertThat(recorder.all(PollEnded.class).stream()
                        .mapToInt(PollEnded::tasksStarted)
                        .sum())
                .isEqualTo(3);
        workers.close();
        assertThat(recorder.all(PollStarted.class)).hasSameSizeAs(recorder.all(PollEnded.class));
    }

    @Test
    void saysWhenAFailedTaskIsTriedAgainAsTheDatabaseHasIt(TestFlows flows) throws Exception {
        var builder = Flow.of("retried", String.class).maxAttempts(2).baseDelay(Duration.ofSeconds(1));
        builder.step("fail", String.class, s -> {
            throw new IllegalStateException("no " + s, new RuntimeException("why"));
        });
        var flow = builder.build();
        flows.start(flow).close();
        flows.db().execute("update pgflow.flows set opt_base_delay = 1800 where flow_slug = 'retried'");
        var workers = flows.start(flows.options().listener(recorder), flow);
        var run = workers.client().start(flow, "x");

        var first = recorder.await(TaskFailed.class);
        var visibleAt = flows.db().fetchSingle("select vt from pgmq.q_retried").get(0, OffsetDateTime.class);
        assertThat(first.task()).isEqualTo(new TaskAttempt(first.task().workerId(), "retried", run, "fail", 0, 1));
        assertThat(first.errorClass()).hasValue("java.lang.IllegalStateException");
        assertThat(first.error())
                .isEqualTo("java.lang.IllegalStateException: no x\ncaused by java.lang.RuntimeException: why");
        assertThat(first.retryAt()).isPresent();
        assertThat(Duration.between(first.retryAt().get(), visibleAt).abs()).isLessThan(Duration.ofSeconds(30));
        assertThat(recorder.all(RunFailed.class)).isEmpty();

        flows.db().execute("update pgmq.q_retried set vt = clock_timestamp()");
        flows.db().execute("select pg_notify('pgmq.q_retried.INSERT', '')");
        var second = recorder.await(TaskFailed.class, failed -> failed.task().attempt() == 2);
        var end = recorder.await(RunFailed.class);

        assertThat(second.retryAt()).isEmpty();
        assertThat(end).isEqualTo(new RunFailed(end.at(), "retried", run, second.error()));
        assertThat(recorder.all(TaskCompleted.class)).isEmpty();
    }

    @Test
    void tellsWhatFailedARunWhoseStepGaveNoListToAMap(TestFlows flows) throws Exception {
        var builder = Flow.of("no_list", String.class);
        var list = builder.list("list", Integer.class, s -> null);
        builder.map("each", Integer.class, list, n -> n);
        var flow = builder.build();
        var run = flows.start(flows.options().listener(recorder), flow).client().start(flow, "x");

        var end = recorder.await(RunFailed.class);

        assertThat(end)
                .isEqualTo(new RunFailed(
                        end.at(),
                        "no_list",
                        run,
                        "[TYPE_VIOLATION] Map step each expects array input but dependency list produced null"));
        assertThat(recorder.all(TaskFailed.class)).singleElement().satisfies(failed -> {
            assertThat(failed.error()).isEqualTo("its output is no list, and a map waits for one");
            assertThat(failed.errorClass()).isEmpty();
            assertThat(failed.retryAt()).isEmpty();
        });
    }

    @Test
    void tellsATimeOutFromAFailureAndNamesAHandlerThatDoesNotReact(TestFlows flows) throws Exception {
        var release = new CountDownLatch(1);
        var builder = Flow.of("timed_out", String.class).maxAttempts(1);
        builder.step("hang", String.class, s -> {
            while (release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    // as bad handlers do
                }
            }
            return s;
        });
        var flow = builder.build();
        flows.start(flow).close();
        flows.db().execute("update pgflow.flows set opt_timeout = 1 where flow_slug = 'timed_out'");
        try (var log = LogCapture.of("io.pgflow")) {
            var workers = flows.start(flows.options().concurrency(1).listener(recorder), flow);
            var run = workers.client().start(flow, "x");

            var end = recorder.await(TaskTimedOut.class);
            var stuck = recorder.await(TaskUnresponsive.class);
            release.countDown();

            assertThat(end.retryAt()).isEmpty();
            assertThat(end.duration()).isBetween(Duration.ofMillis(900), TestFlows.LIMIT);
            assertThat(recorder.await(RunFailed.class).error()).isEqualTo("Task timed out after 1s");
            assertThat(stuck.task()).isEqualTo(end.task());
            assertThat(log.messages("handler_unresponsive"))
                    .singleElement()
                    .asString()
                    .startsWith("WARN event=handler_unresponsive flow=timed_out run=" + run
                            + " step=hang index=0 attempt=1 count=1 at=")
                    .contains("WorkerEventTest");
            assertThat(log.messages("task_failed")).singleElement().asString().contains("Task timed out after 1s");
        }
        assertThat(recorder.all(TaskFailed.class)).isEmpty();
        assertThat(recorder.all(TaskCompleted.class)).isEmpty();
        assertThat(recorder.all(TaskLate.class))
                .as("the handler's result is nobody's")
                .isEmpty();
    }

    @Test
    void tellsThatAReportCameTooLate(TestFlows flows) throws Exception {
        var builder = Flow.of("late", String.class);
        builder.step("slow", String.class, builder.input(), builder.context(), (s, task) -> {
            if (task.attempt() == 1) { // somebody else claims it meanwhile
                flows.db().execute("""
                        update pgflow.step_tasks set claim_no = claim_no + 1, attempts_count = attempts_count + 1
                        where run_id = ?""", task.runId());
            }
            return s;
        });
        var flow = builder.build();
        try (var log = LogCapture.of("io.pgflow")) {
            var workers = flows.start(flows.options().listener(recorder), flow);
            var run = workers.client().start(flow, "x");

            var late = recorder.await(TaskLate.class);

            assertThat(late.task()).isEqualTo(new TaskAttempt(late.task().workerId(), "late", run, "slow", 0, 1));
            assertThat(log.messages("report_late"))
                    .singleElement()
                    .asString()
                    .startsWith("WARN ")
                    .contains(run.toString());
        }
        assertThat(recorder.all(TaskCompleted.class)).isEmpty();
        assertThat(recorder.all(RunCompleted.class)).isEmpty();
    }

    @Test
    void tellsTheEndOfEachRunOnceWithTwoWorkers(TestFlows flows) throws Exception {
        var builder = Flow.ofList("shared_runs", Integer.class);
        var squares = builder.map("square", Integer.class, builder.input(), n -> n * n);
        builder.step("check", Boolean.class, squares, list -> {
            if (list.contains(25)) {
                throw new PermanentFailure("25 is in it");
            }
            return true;
        });
        var flow = builder.build();
        var other = new Recorder();
        var one = flows.start(flows.options().listener(recorder), flow);
        var two = flows.start(flows.options().listener(other), flow);

        var runs = one.client()
                .startAll(
                        flow,
                        IntStream.range(0, 60)
                                .mapToObj(i -> List.of(i % 10, 11, 12, 13))
                                .toList());
        flows.await("not exists (select from pgflow.runs where flow_slug = 'shared_runs' and status = 'started')");
        one.close();
        two.close();

        var completed = new ArrayList<UUID>();
        var failed = new ArrayList<UUID>();
        for (Recorder each : List.of(recorder, other)) {
            each.all(RunCompleted.class).forEach(end -> completed.add(end.runId()));
            each.all(RunFailed.class).forEach(end -> failed.add(end.runId()));
        }
        assertThat(completed).hasSize(54).doesNotHaveDuplicates();
        assertThat(failed).hasSize(6).doesNotHaveDuplicates();
        completed.addAll(failed);
        assertThat(new HashSet<>(completed)).isEqualTo(new HashSet<>(runs));
        assertThat(recorder.all(TaskCompleted.class).size()
                        + other.all(TaskCompleted.class).size())
                .isEqualTo(60 * 4 + 54);
    }
}
