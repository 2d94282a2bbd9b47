package io.pgflow;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.pgflow.WorkerEvent.ListenerBack;
import io.pgflow.WorkerEvent.ListenerLost;
import io.pgflow.WorkerEvent.OutageBegan;
import io.pgflow.WorkerEvent.OutageEnded;
import io.pgflow.WorkerEvent.OutcomesRecorded;
import io.pgflow.WorkerEvent.PollEnded;
import io.pgflow.WorkerEvent.PollStarted;
import io.pgflow.WorkerEvent.RunCompleted;
import io.pgflow.WorkerEvent.RunFailed;
import io.pgflow.WorkerEvent.TaskAttempt;
import io.pgflow.WorkerEvent.TaskCompleted;
import io.pgflow.WorkerEvent.TaskFailed;
import io.pgflow.WorkerEvent.TaskLate;
import io.pgflow.WorkerEvent.TaskRecovered;
import io.pgflow.WorkerEvent.TaskStarted;
import io.pgflow.WorkerEvent.TaskTimedOut;
import io.pgflow.WorkerEvent.TaskUnresponsive;
import io.pgflow.WorkerEvent.WorkerStarted;
import io.pgflow.WorkerEvent.WorkerStopped;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.ToDoubleFunction;

/**
 * Meters of workers, for Micrometer ({@code io.micrometer:micrometer-core}, which the program brings along).
 *
 * {@snippet :
 * var metrics = new WorkerMetrics();
 * metrics.bindTo(registry); // several registries too; frameworks do it by themselves
 * Workers.connect(url).listener(metrics).run(flow);
 * }
 *
 * <p>The counts are those of this process. The names begin with {@code pgflow.}; the README lists them. What a meter says of the end of a task or a run
 * is what the database answered. Nothing waits for a meter: those of the queue are as of a few seconds ago, and NaN where nothing is
 * known. Any thread may use it.
 */
public final class WorkerMetrics implements WorkerListener, MeterBinder {

    private final CompositeMeterRegistry meters = new CompositeMeterRegistry();
    private final List<RunningWorkers> started = new CopyOnWriteArrayList<>();
    private final AtomicBoolean outage = new AtomicBoolean();

    /** No meters yet: see {@link #bindTo}. */
    public WorkerMetrics() {
        Gauge.builder("pgflow.database.outage", () -> outage.get() ? 1 : 0)
                .description("1 while statements of the workers get no answer")
                .register(meters);
    }

    /**
     * Has a registry show the meters from now on.
     *
     * @param registry again changes nothing
     */
    @Override
    public void bindTo(MeterRegistry registry) {
        meters.add(registry);
    }

    @Override
    public void started(RunningWorkers workers) {
        started.add(workers);
        for (WorkerSnapshot worker : workers.snapshot()) {
            String flow = worker.flowSlug();
            gauge(
                    "pgflow.slots.used",
                    "slots taken by tasks",
                    flow,
                    w -> w.activeTasks().size());
            gauge("pgflow.slots.free", "slots free for tasks", flow, WorkerSnapshot::freeSlots);
            gauge(
                    "pgflow.listening",
                    "1 while new tasks are announced, 0 while workers poll",
                    flow,
                    w -> w.listening() ? 1 : 0);
            var backlog = new WaitingTasks(() -> serving(flow).map(w -> w.backlog(flow)));
            Gauge.builder("pgflow.queue.tasks", backlog, WaitingTasks::count)
                    .description("tasks that could be claimed")
                    .tags("flow", flow)
                    .strongReference(true)
                    .register(meters);
            TimeGauge.builder("pgflow.queue.age", backlog, TimeUnit.SECONDS, WaitingTasks::seconds)
                    .description("for how long the first of them could")
                    .tags("flow", flow)
                    .strongReference(true)
                    .register(meters);
        }
    }

    private void gauge(String name, String description, String flow, ToDoubleFunction<WorkerSnapshot> value) {
        Gauge.builder(
                        name,
                        () -> started.stream()
                                .flatMap(workers -> workers.snapshot().stream())
                                .filter(worker ->
                                        worker.flowSlug().equals(flow) && worker.state() != WorkerState.STOPPED)
                                .mapToDouble(value)
                                .sum())
                .description(description)
                .tags("flow", flow)
                .register(meters);
    }

    /** Some that have not stopped. */
    private Optional<RunningWorkers> serving(String flow) {
        return started.stream()
                .filter(workers -> workers.snapshot().stream()
                        .anyMatch(worker -> worker.flowSlug().equals(flow) && worker.state() != WorkerState.STOPPED))
                .findFirst();
    }

    @Override
    public void on(WorkerEvent event) {
        switch (event) {
            case TaskStarted e -> e.waited().ifPresent(meters.timer("pgflow.task.wait", tags(e.task()))::record);
            case TaskCompleted e -> ended(e.task(), "completed", e.duration());
            case TaskFailed e -> ended(e.task(), "failed", e.duration(), e.retryAt());
            case TaskTimedOut e -> ended(e.task(), "timed_out", e.duration(), e.retryAt());
            case TaskLate e -> ended(e.task(), "late", e.duration());
            case TaskUnresponsive e ->
                meters.counter("pgflow.task.unresponsive", tags(e.task())).increment();
            case TaskRecovered e ->
                meters.counter(
                                "pgflow.task.recovered",
                                Tags.of("flow", e.flowSlug(), "step", e.stepSlug())
                                        .and("outcome", e.requeued() ? "requeued" : "failed"))
                        .increment();
            case RunCompleted e -> runEnded(e.flowSlug(), "completed");
            case RunFailed e -> runEnded(e.flowSlug(), "failed");
            case PollEnded e ->
                meters.timer("pgflow.poll", "flow", e.flowSlug()).record(e.duration());
            case OutcomesRecorded e -> {
                meters.timer("pgflow.recording").record(e.duration());
                batches().record(e.outcomes());
            }
            case OutageBegan e -> outage.set(true);
            case OutageEnded e -> outage.set(false);
            case WorkerStopped e -> started.removeIf(WorkerMetrics::allStopped);
            case WorkerStarted e -> {}
            case PollStarted e -> {}
            case ListenerLost e -> {} // a gauge tells
            case ListenerBack e -> {}
        }
    }

    private static boolean allStopped(RunningWorkers workers) {
        return workers.snapshot().stream().allMatch(worker -> worker.state() == WorkerState.STOPPED);
    }

    private void ended(TaskAttempt task, String outcome, Duration duration, Optional<Instant> retryAt) {
        ended(task, outcome, duration);
        if (retryAt.isPresent()) {
            meters.counter("pgflow.task.retries", tags(task)).increment();
        }
    }

    private void ended(TaskAttempt task, String outcome, Duration duration) {
        meters.timer("pgflow.task", tags(task).and("outcome", outcome)).record(duration);
    }

    private void runEnded(String flow, String outcome) {
        meters.counter("pgflow.runs", "flow", flow, "outcome", outcome).increment();
    }

    private DistributionSummary batches() {
        return meters.summary("pgflow.recording.batch");
    }

    private static Tags tags(TaskAttempt task) {
        return Tags.of("flow", task.flowSlug(), "step", task.stepSlug());
    }
}
