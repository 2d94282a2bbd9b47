package io.pgflow.sql.model;

import static io.pgflow.sql.model.Model.shown;

import io.pgflow.sql.model.Definition.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A step in a run, with its tasks. */
final class StepRun {
    final Step step;
    final List<Task> tasks = new ArrayList<>();
    String status = "created";
    int remainingDeps;

    @Nullable
    Integer initialTasks;

    @Nullable
    Integer remainingTasks;

    @Nullable
    Json output;

    @Nullable
    String skipReason;

    @Nullable
    String error;

    boolean wasStarted;

    StepRun(Step step) {
        this.step = step;
        remainingDeps = step.dependencies().size();
        initialTasks = step.map() ? null : 1;
    }

    boolean is(String state) {
        return status.equals(state);
    }

    boolean isReady() {
        return is("created") && remainingDeps == 0;
    }

    boolean isOpen() {
        return is("created") || is("started");
    }

    void archiveOpenMessages() {
        tasks.stream().filter(Task::isOpen).forEach(Task::archive);
    }

    /** A dependency was completed, with so many elements for a map over it (NULL: not known), or plainly skipped, with none. */
    void dependencySettled(@Nullable Integer elements) {
        remainingDeps--;
        if (step.map() && initialTasks == null) initialTasks = elements;
    }

    /** It and its tasks, a line each. */
    Stream<String> lines(String run) {
        var name = run + "." + step.slug();
        var line = "%s %s deps %d tasks %s of %s output %s reason %s error %s%s"
                .formatted(
                        name,
                        status,
                        remainingDeps,
                        shown(remainingTasks),
                        shown(initialTasks),
                        shown(output),
                        shown(skipReason),
                        shown(error),
                        wasStarted ? " began" : "");
        return Stream.concat(Stream.of(line), tasks.stream().map(task -> task.line(name)));
    }
}
