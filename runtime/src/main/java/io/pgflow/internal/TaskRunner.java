package io.pgflow.internal;

import io.pgflow.Flow;
import io.pgflow.PermanentFailure;
import io.pgflow.RetryLater;
import io.pgflow.Step;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Runs tasks of one flow: JSON in, handler, outcome. Runs on the task's own thread and never touches the database. */
final class TaskRunner {

    private static final Logger log = LoggerFactory.getLogger(TaskRunner.class);

    private final String flow;
    private final Map<String, Step<?>> steps;
    private final Json json;

    TaskRunner(Flow<?> flow, Json json) {
        this.flow = flow.slug();
        this.steps = flow.steps().stream().collect(Collectors.toMap(Step::slug, Function.identity()));
        this.json = json;
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
        Supplier<String> flowInput = () -> {
            if (task.flowInput() == null) {
                throw new IllegalStateException("the task of " + step + " came without the run's input");
            }
            return task.flowInput();
        };
        MDC.put("run", task.runId().toString());
        MDC.put("step", task.stepSlug());
        MDC.put("index", Integer.toString(task.taskIndex()));
        try {
            Object result = step.invoke(json.arguments(step, task.input(), flowInput, attempt));
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
