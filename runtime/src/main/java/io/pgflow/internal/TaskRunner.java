package io.pgflow.internal;

import io.pgflow.Flow;
import io.pgflow.PermanentFailure;
import io.pgflow.RetryLater;
import io.pgflow.Source;
import io.pgflow.Step;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Runs tasks of one flow: JSON in, handler, outcome. Runs on the task's own thread, and has others talk to the database. */
final class TaskRunner {

    private static final Logger log = LoggerFactory.getLogger(TaskRunner.class);

    private final String flow;
    private final Map<String, Step<?>> steps;
    private final Set<String> readers;
    private final Set<String> leaders;
    private final Json json;
    private final RunInputs inputs;

    TaskRunner(Flow<?> flow, Json json, RunInputs inputs) {
        this.flow = flow.slug();
        this.steps = flow.steps().stream().collect(Collectors.toMap(Step::slug, Function.identity()));
        this.readers = flow.steps().stream()
                .filter(step -> !step.isMap() && !step.dependencies().isEmpty())
                .filter(step -> step.sources().stream().anyMatch(source -> source instanceof Source.Input<?>))
                .map(Step::slug)
                .collect(Collectors.toUnmodifiableSet());
        this.leaders = flow.steps().stream()
                .filter(step -> !step.isMap())
                .flatMap(step -> step.dependencies().stream())
                .map(Step::slug)
                .collect(Collectors.toUnmodifiableSet());
        this.json = json;
        this.inputs = inputs;
    }

    /** Asks, without waiting, for what tasks will read and their claim did not bring. */
    void expect(List<Task> tasks) {
        for (Task task : tasks) {
            if (readers.contains(task.stepSlug())) {
                inputs.expect(task.runId());
            }
        }
    }

    /** Whether a step with one task waits for this one. */
    boolean leads(String step) {
        return leaders.contains(step);
    }

    private String flowInput(Task task) {
        return task.flowInput() != null ? task.flowInput() : inputs.get(task.runId());
    }

    /** The input of a task's run, as a type that it can be read as. */
    Function<Type, @Nullable Object> inputOf(Task task) {
        return type -> json.read(flowInput(task), type);
    }

    /** Runs the handler. Whatever it throws is in the outcome; what it throws once the attempt was cancelled hands the task back. */
    Outcome run(Attempt attempt) {
        Task task = attempt.task();
        Step<?> step = steps.get(task.stepSlug());
        if (step == null) {
            return new Outcome.Failed(
                    attempt,
                    "step '%s' of flow '%s' is not known to this worker (it knows %s): the database has another definition than the code"
                            .formatted(task.stepSlug(), flow, steps.keySet()));
        }
        MDC.put("run", task.runId().toString());
        MDC.put("step", task.stepSlug());
        MDC.put("index", Integer.toString(task.taskIndex()));
        try {
            Object result = step.invoke(json.arguments(step, task.input(), () -> flowInput(task), attempt));
            return new Outcome.Completed(attempt, json.output(step, result));
        } catch (Throwable e) { // errors too: one bad handler must not take the worker with it
            if (attempt.cancelled()) {
                return new Outcome.Released(attempt);
            }
            log.warn(
                    "{}",
                    LogLine.of("handler_failed").with(task).with("error", ErrorText.say(e)),
                    PrintableError.of(e));
            return new Outcome.Failed(
                    attempt,
                    ErrorText.of(e),
                    e.getClass().getName(),
                    ErrorText.find(PermanentFailure.class, e).isPresent(),
                    ErrorText.find(RetryLater.class, e).map(RetryLater::after).orElse(null));
        } finally {
            MDC.clear(); // the thread is this task's own
        }
    }
}
