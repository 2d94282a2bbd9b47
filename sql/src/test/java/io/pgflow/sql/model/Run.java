package io.pgflow.sql.model;

import static java.util.Objects.requireNonNull;

import io.pgflow.sql.model.Definition.Mode;
import io.pgflow.sql.model.Definition.Step;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A run, and what follows in it from the end of a step. */
final class Run {
    final UUID id;
    final Definition flow;
    final Json input;
    final Map<String, StepRun> steps = new LinkedHashMap<>();
    String status = "started";

    @Nullable
    Json output;

    int remainingSteps;
    private int messages;

    Run(UUID id, Definition flow, Json input) {
        this.id = id;
        this.flow = flow;
        this.input = input;
        remainingSteps = flow.steps().size();
        for (var step : flow.steps()) steps.put(step.slug(), new StepRun(step));
        for (var step : steps.values()) {
            if (step.step.map() && step.step.root() && input instanceof Json.Array(var elements)) {
                step.initialTasks = elements.size();
            }
        }
    }

    boolean is(String state) {
        return status.equals(state);
    }

    boolean isOf(Definition other) {
        return flow.slug().equals(other.slug());
    }

    StepRun step(String slug) {
        return requireNonNull(steps.get(slug));
    }

    List<StepRun> dependents(StepRun of) {
        return steps.values().stream()
                .filter(step -> step.step.dependencies().contains(of.step.slug()))
                .toList();
    }

    /**
     * All that is due after something changed. Conditions are looked at again after each wave of empty maps, which may have made conditional
     * steps ready (section 16, Q3). Returns the steps that started, by slug.
     */
    List<StepRun> settle() {
        do resolveConditions();
        while (completeTasklessSteps());
        var started = startReadySteps();
        maybeComplete();
        return started;
    }

    /** Section 9.2. There is no limit to the number of passes, as the contract allows. */
    private void resolveConditions() {
        while (is("started")) {
            var unmet = steps.values().stream()
                    .filter(step -> step.isReady() && step.step.conditional() && !met(step))
                    .toList();
            var failing = unmet.stream()
                    .filter(step -> step.step.whenUnmet() == Mode.FAIL)
                    .findFirst();
            if (failing.isPresent()) {
                failStep(failing.get(), "Condition not met");
                return;
            }
            var skipped = unmet.stream()
                    .filter(step -> step.step.whenUnmet() == Mode.SKIP)
                    .toList();
            skipped.forEach(step -> skip(step, "condition_unmet", null));
            unmet.stream()
                    .filter(step -> step.step.whenUnmet() == Mode.SKIP_CASCADE)
                    .forEach(step -> skipCascade(step, "condition_unmet", null));
            if (skipped.isEmpty()) return;
        }
    }

    private boolean met(StepRun step) {
        var subject = step.step.root() ? input : outputsFor(step.step);
        var required = step.step.required();
        var forbidden = step.step.forbidden();
        return (required == null || subject.contains(required)) && (forbidden == null || !subject.contains(forbidden));
    }

    /** What a step sees of those it depends on: the completed ones. */
    Json outputsFor(Step step) {
        var outputs = new TreeMap<String, Json>();
        for (var slug : step.dependencies()) {
            var dependency = step(slug);
            if (dependency.is("completed")) outputs.put(slug, Json.orNull(dependency.output));
        }
        return new Json.Members(outputs);
    }

    /** Section 9.4, one wave. */
    private boolean completeTasklessSteps() {
        if (!is("started")) return false;
        var wave = steps.values().stream()
                .filter(step -> step.isReady() && Integer.valueOf(0).equals(step.initialTasks))
                .toList();
        for (var step : wave) {
            step.wasStarted = true;
            complete(step, Json.Array.EMPTY, 0);
        }
        return !wave.isEmpty();
    }

    /** Section 9.5. */
    private List<StepRun> startReadySteps() {
        if (!is("started")) return List.of();
        var ready = steps.values().stream()
                .filter(step -> step.isReady() && step.initialTasks != null && step.initialTasks > 0)
                .sorted(Comparator.comparing(step -> step.step.slug()))
                .toList();
        for (var step : ready) {
            step.status = "started";
            step.wasStarted = true;
            step.remainingTasks = step.initialTasks;
            for (int i = 0; i < requireNonNull(step.initialTasks); i++) step.tasks.add(new Task(step, i, messages++));
        }
        return ready;
    }

    /** Has messages in the order of these tasks: what workers are given and what waits for them is sent apart. */
    void sortMessages(List<String> order) {
        var tasks = steps.values().stream()
                .flatMap(step -> step.tasks.stream())
                .sorted(Comparator.comparingInt(
                        task -> order.indexOf("%s.%s[%d]".formatted(id, task.of.step.slug(), task.index))))
                .toList();
        for (int i = 0; i < tasks.size(); i++) tasks.get(i).message = i;
    }

    /** Section 9.9. */
    void maybeComplete() {
        if (!is("started") || remainingSteps > 0) return;
        status = "completed";
        var outputs = new TreeMap<String, Json>();
        for (var step : steps.values()) {
            if (step.is("completed") && flow.isLeaf(step.step.slug())) {
                outputs.put(step.step.slug(), Json.orNull(step.output));
            }
        }
        output = outputs.isEmpty() ? null : new Json.Members(outputs);
    }

    /** A step has nothing left to do; so many elements has a map over it (NULL: its output is no array). */
    void complete(StepRun step, @Nullable Json result, @Nullable Integer elements) {
        step.status = "completed";
        step.remainingTasks = 0;
        step.output = result;
        remainingSteps--;
        dependents(step).forEach(dependent -> dependent.dependencySettled(elements));
    }

    /** The step, and with it the run, which is frozen. */
    void failStep(StepRun step, @Nullable String error) {
        step.status = "failed";
        step.error = error;
        status = "failed";
        steps.values().forEach(StepRun::archiveOpenMessages);
    }

    /** Dependents go on without it. */
    void skip(StepRun step, String reason, @Nullable String error) {
        skipAlone(step, reason, error);
        dependents(step).forEach(dependent -> dependent.dependencySettled(0));
    }

    /** Section 9.3: the step and everything downstream, except what has ended. Returns the number skipped. */
    int skipCascade(StepRun first, String reason, @Nullable String error) {
        int before = remainingSteps;
        if (first.isOpen()) skipAlone(first, reason, error);
        var downstream = new ArrayList<>(dependents(first));
        for (int i = 0; i < downstream.size(); i++) { // it grows
            var step = downstream.get(i);
            if (step.isOpen()) skipAlone(step, "dependency_skipped", null);
            dependents(step).stream().filter(next -> !downstream.contains(next)).forEach(downstream::add);
        }
        return before - remainingSteps;
    }

    private void skipAlone(StepRun step, String reason, @Nullable String error) {
        step.status = "skipped";
        step.skipReason = reason;
        if (error != null) step.error = error;
        step.remainingTasks = null;
        step.archiveOpenMessages();
        remainingSteps--;
    }

    /** The input of a task, and the run's input where the worker gets that too. */
    Entry<Json, String> inputs(Task task) {
        var step = task.of.step;
        if (step.map()) {
            var source = step.root() ? input : step(step.dependencies().getFirst()).output;
            return Map.entry(((Json.Array) requireNonNull(source)).elements().get(task.index), "-");
        }
        return step.root() ? Map.entry(Json.Members.EMPTY, input.toString()) : Map.entry(outputsFor(step), "-");
    }

    /** It, its steps and its tasks, a line each. */
    Stream<String> lines(String name) {
        var line = "%s %s remaining %d output %s".formatted(name, status, remainingSteps, Model.shown(output));
        return Stream.concat(Stream.of(line), steps.values().stream().flatMap(step -> step.lines(name)));
    }
}
