package io.pgflow.internal;

import io.pgflow.RunningWorkers;
import io.pgflow.WorkerEvent;
import io.pgflow.WorkerEvent.TaskAttempt;
import io.pgflow.WorkerListener;
import io.pgflow.internal.Report.RunEnd;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes events of what happens, for those who listen; where nobody does, nothing is made. Any thread may call it, and none waits. */
final class Events {

    /** Characters kept of an error. */
    private static final int LONGEST_ERROR = 1_000;

    /** How long listeners may take for what is left when all has stopped. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final List<Delivery> listeners;
    private final InstantSource clock;
    private final Outage outage;

    /** Starts a thread for each listener. */
    Events(List<WorkerListener> listeners, InstantSource clock) {
        this.listeners = listeners.stream().map(Delivery::new).toList();
        this.clock = clock;
        this.outage = new Outage(this, clock);
    }

    /** How many events were dropped because a listener was too slow. */
    long dropped() {
        return listeners.stream().mapToLong(Delivery::dropped).sum();
    }

    /** Gives the workers to those who listen. */
    void introduce(RunningWorkers workers) {
        listeners.forEach(listener -> listener.introduce(workers));
    }

    void workerStarted(UUID worker, String name, String flow) {
        if (wanted()) {
            tell(new WorkerEvent.WorkerStarted(now(), worker, name, flow));
        }
    }

    void workerStopped(UUID worker, String name, String flow, Duration lived) {
        if (wanted()) {
            tell(new WorkerEvent.WorkerStopped(now(), worker, name, flow, lived));
        }
    }

    void pollStarted(UUID worker, String flow, int active) {
        if (wanted()) {
            tell(new WorkerEvent.PollStarted(now(), worker, flow, active));
        }
    }

    void pollEnded(UUID worker, String flow, int active, long beganAt, int read, int started) {
        if (wanted()) {
            tell(new WorkerEvent.PollEnded(now(), worker, flow, active, since(beganAt), read, started));
        }
    }

    void taskStarted(Attempt attempt) {
        if (wanted()) {
            tell(new WorkerEvent.TaskStarted(
                    now(), named(attempt), Optional.ofNullable(attempt.task().waited())));
        }
    }

    void taskUnresponsive(Attempt attempt) {
        if (wanted()) {
            tell(new WorkerEvent.TaskUnresponsive(now(), named(attempt)));
        }
    }

    /** Tells what the database made of an outcome, and of the run if that ended. */
    void recorded(Outcome outcome, Report report) {
        if (wanted()) {
            tell(taskEnded(outcome, report));
            runEnded(outcome.task().flowSlug(), outcome.task().runId(), report.runEnded(), report.runError());
        }
    }

    private void runEnded(String flow, UUID run, @Nullable RunEnd end, @Nullable String error) {
        switch (end) {
            case null -> {}
            case COMPLETED -> tell(new WorkerEvent.RunCompleted(now(), flow, run));
            case FAILED -> tell(new WorkerEvent.RunFailed(now(), flow, run, cut(error)));
        }
    }

    private WorkerEvent taskEnded(Outcome outcome, Report report) {
        TaskAttempt task = named(outcome.attempt());
        Duration duration = outcome.attempt().duration();
        return switch (report.effect()) {
            case COMPLETED -> new WorkerEvent.TaskCompleted(now(), task, duration);
            case LATE -> new WorkerEvent.TaskLate(now(), task, duration);
            case RETRYING, FAILED -> {
                var retryAt = Optional.ofNullable(report.retryAt());
                yield outcome instanceof Outcome.TimedOut
                        ? new WorkerEvent.TaskTimedOut(now(), task, duration, retryAt)
                        : new WorkerEvent.TaskFailed(
                                now(), task, duration, errorClass(outcome), cut(errorOf(outcome)), retryAt);
            }
        };
    }

    private static Optional<String> errorClass(Outcome outcome) {
        return outcome instanceof Outcome.Failed failed ? Optional.ofNullable(failed.errorClass()) : Optional.empty();
    }

    private static String errorOf(Outcome outcome) {
        return outcome instanceof Outcome.Failure failure
                ? failure.error()
                : "its output is no list, and a map waits for one"; // the one reason for which a result fails its task
    }

    private static String cut(@Nullable String error) {
        return error == null ? "" : ErrorText.cut(error, LONGEST_ERROR);
    }

    void outcomesRecorded(int outcomes, long beganAt) {
        if (wanted()) {
            tell(new WorkerEvent.OutcomesRecorded(now(), outcomes, since(beganAt)));
        }
    }

    void recovered(Queries.Recovered task) {
        if (wanted()) {
            tell(new WorkerEvent.TaskRecovered(
                    now(),
                    task.flowSlug(),
                    task.runId(),
                    task.stepSlug(),
                    task.taskIndex(),
                    task.requeued(),
                    task.since()));
            runEnded(task.flowSlug(), task.runId(), task.runEnded(), task.runError());
        }
    }

    /** Someone, named by what it does, got no answer from the database, but this error. */
    void unanswered(String who, String error) {
        outage.failed(who, error);
    }

    /** Someone got an answer, or asks no more. */
    void answered(String who) {
        outage.over(who);
    }

    void outageBegan(String what) {
        if (wanted()) {
            tell(new WorkerEvent.OutageBegan(now(), cut(what)));
        }
    }

    void outageEnded(String what, Instant since) {
        if (wanted()) {
            tell(new WorkerEvent.OutageEnded(now(), cut(what), since));
        }
    }

    void listenerLost(String what) {
        if (wanted()) {
            tell(new WorkerEvent.ListenerLost(now(), cut(what)));
        }
    }

    void listenerBack(Instant since) {
        if (wanted()) {
            tell(new WorkerEvent.ListenerBack(now(), since));
        }
    }

    private boolean wanted() {
        return !listeners.isEmpty();
    }

    private void tell(WorkerEvent event) {
        listeners.forEach(listener -> listener.add(event));
    }

    private Instant now() {
        return clock.instant();
    }

    private static Duration since(long beganAt) {
        return Duration.ofNanos(System.nanoTime() - beganAt);
    }

    private static TaskAttempt named(Attempt attempt) {
        return new TaskAttempt(
                attempt.workerId(),
                attempt.flowSlug(),
                attempt.runId(),
                attempt.stepSlug(),
                attempt.taskIndex(),
                attempt.attempt());
    }

    /** Nothing happens any more. Returns when all is told, or after two seconds. */
    void close() {
        listeners.forEach(Delivery::close);
        long giveUpAt = System.nanoTime() + LAST_WORDS.toNanos();
        for (Delivery listener : listeners) {
            Engine.uninterrupted(() -> {
                listener.await(Duration.ofNanos(giveUpAt - System.nanoTime()));
                return true;
            });
        }
    }
}
