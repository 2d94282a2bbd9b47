package io.pgflow.sql.model;

import static java.util.Objects.requireNonNull;

import io.pgflow.sql.model.Definition.Mode;
import io.pgflow.sql.model.Model.Claim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What reports do. The contract knows one at a time; those of one call count as made at once: all tasks change, then all steps that ended by
 * it, then what follows. Two exceptions where that would contradict itself:
 *
 * <ul>
 *   <li>What fails a run comes first: the other reports on it find it failed, as they would one after the other.
 *   <li>Of several reports on one task, and of several that skip a step, the first counts. The others are late.
 * </ul>
 */
final class Reports {
    /** The longest pause before a retry: a day. */
    private static final int LONGEST_RETRY_DELAY = 86_400;

    private final Model model;

    Reports(Model model) {
        this.model = model;
    }

    /** The same without workers. */
    List<String> complete(List<Report> reports) {
        return complete(reports, null, List.of());
    }

    /**
     * Section 9.7, with sections 16's Q4 and Q5 as recommended. A map that is named in a type violation is the first one. Workers are given what
     * their reports make ready; where messages come from two sources, their order is that of the tasks given.
     */
    List<String> complete(List<Report> reports, @Nullable List<@Nullable String> workers, List<String> tasks) {
        var outcomes = new String[reports.size()];
        Arrays.fill(outcomes, "late");
        var changed = new LinkedHashSet<Run>();
        for (int i = 0; i < outcomes.length; i++) {
            var claim = current(reports.get(i));
            if (claim != null && violatesType(claim, reports.get(i).output())) {
                outcomes[i] = "failed";
                changed.add(claim.run());
            }
        }
        var steps = new LinkedHashMap<StepRun, Run>();
        var first = new HashMap<StepRun, Integer>();
        for (int i = 0; i < outcomes.length; i++) {
            var claim = current(reports.get(i));
            if (claim == null) continue;
            var step = claim.task().of;
            first.putIfAbsent(step, i);
            claim.task().complete(reports.get(i).output());
            step.remainingTasks = requireNonNull(step.remainingTasks) - 1;
            steps.put(step, claim.run());
            outcomes[i] = "completed";
        }
        var ended = new LinkedHashSet<Run>();
        var plain = new HashSet<>(steps.values());
        var last = new HashMap<StepRun, Integer>(); // of what each dependent follows from
        steps.forEach((step, run) -> {
            if (requireNonNull(step.remainingTasks) > 0) return;
            var output = step.step.map()
                    ? new Json.Array(step.tasks.stream()
                            .map(task -> Json.orNull(task.output))
                            .toList())
                    : step.tasks.getFirst().output;
            run.complete(step, output, output instanceof Json.Array(var elements) ? (Integer) elements.size() : null);
            for (var dependent : run.dependents(step)) {
                last.merge(dependent, requireNonNull(first.get(step)), Math::max);
                if (dependent.step.conditional() || (dependent.step.map() && Json.Array.EMPTY.equals(output))) {
                    plain.remove(run);
                }
            }
            ended.add(run);
        });
        changed.addAll(ended);
        var given = new HashMap<Integer, Claim>();
        var ready = new LinkedHashSet<Run>();
        for (var run : ended) {
            for (var step : run.settle()) {
                boolean able = workers != null
                        && plain.contains(run)
                        && !step.step.map()
                        && step.step.startDelay() == 0
                        && isAble(workers.get(requireNonNull(last.get(step))));
                var task = step.tasks.getFirst();
                if (!able || given.putIfAbsent(requireNonNull(last.get(step)), new Claim(run, task, 1)) != null) {
                    ready.add(run);
                }
            }
        }
        given.forEach((i, claim) -> {
            claim.task().start(requireNonNull(requireNonNull(workers).get(i)), model.timeout(claim) + 2);
            model.claims.add(claim);
            claim.run().sortMessages(tasks);
        });
        archiveLate(reports);
        var answer = answer(reports, outcomes, changed, ready);
        for (int i = 0; i < outcomes.length; i++) {
            var claim = given.get(i);
            answer.set(
                    i,
                    answer.get(i)
                            + (claim == null
                                    ? " next - timeout - input -"
                                    : " next %s timeout %d input %s"
                                            .formatted(
                                                    claim.task().of.step.slug(),
                                                    model.timeout(claim),
                                                    claim.run()
                                                            .inputs(claim.task())
                                                            .getKey())));
        }
        return answer;
    }

    private boolean isAble(@Nullable String worker) {
        return worker != null && Play.WORKERS.contains(worker) && !model.stoppedWorkers.contains(worker);
    }

    private boolean violatesType(Claim claim, @Nullable Json output) {
        var step = claim.task().of;
        if (step.step.map() || output instanceof Json.Array) return false;
        var map = claim.run().steps.values().stream()
                .filter(other -> other.step.map()
                        && other.initialTasks == null
                        && other.step.dependencies().contains(step.step.slug()))
                .findFirst();
        if (map.isEmpty()) return false;
        claim.task().output = output;
        claim.task().fail("[TYPE_VIOLATION] Produced %s instead of array".formatted(Json.typeOf(output)));
        claim.run()
                .failStep(
                        step,
                        "[TYPE_VIOLATION] Map step %s expects array input but dependency %s produced %s"
                                .formatted(map.get().step.slug(), step.step.slug(), Json.typeOf(output)));
        return true;
    }

    /** Section 9.8, with Q6 and Q10 as recommended. */
    List<String> fail(List<Report> reports) {
        var outcomes = new String[reports.size()];
        Arrays.fill(outcomes, "late");
        var tasks = new LinkedHashMap<Task, Integer>(); // the number of the first current report on each
        for (int i = 0; i < outcomes.length; i++) {
            var claim = started(reports.get(i));
            if (claim != null
                    && (claim.run().is("failed")
                            || (claim.run().is("started") && claim.task().of.is("started")))) {
                tasks.putIfAbsent(claim.task(), i);
            }
        }

        var changed = new LinkedHashSet<Run>();
        tasks.forEach((task, i) -> {
            var run = requireNonNull(model.run(reports.get(i).run()));
            if (run.is("started") && effect(run, task, reports.get(i)) == Mode.FAIL) {
                run.failStep(task.of, reports.get(i).error());
                changed.add(run);
            }
        });
        var skipped = new LinkedHashMap<StepRun, Integer>();
        tasks.forEach((task, i) -> {
            var run = requireNonNull(model.run(reports.get(i).run()));
            if (run.is("failed")) {
                task.fail(reports.get(i).error());
                outcomes[i] = "failed";
            } else if (effect(run, task, reports.get(i)) != null && skipped.putIfAbsent(task.of, i) == null) {
                task.fail(reports.get(i).error());
                outcomes[i] = "failed";
            }
        });
        tasks.forEach((task, i) -> {
            var run = requireNonNull(model.run(reports.get(i).run()));
            if (outcomes[i].equals("failed") || skipped.containsKey(task.of)) return;
            var options = model.options(run.flow, task.of.step);
            var asked = reports.get(i).retryAfter();
            int delay = asked != null
                    ? asked
                    : (int) Math.min(
                            requireNonNull(options.baseDelay()) * (double) (1L << task.attempts), LONGEST_RETRY_DELAY);
            task.error = reports.get(i).error();
            task.queueAgain(delay);
            outcomes[i] = "retrying in " + Core.coarse(delay);
        });

        var skipping = new LinkedHashSet<Run>();
        for (var mode : List.of(Mode.SKIP, Mode.SKIP_CASCADE)) {
            skipped.forEach((step, i) -> {
                if (step.step.whenExhausted() != mode) return;
                var run = requireNonNull(model.run(reports.get(i).run()));
                if (mode == Mode.SKIP)
                    run.skip(step, "handler_failed", reports.get(i).error());
                else run.skipCascade(step, "handler_failed", reports.get(i).error());
                skipping.add(run);
            });
        }
        changed.addAll(skipping);
        var ready = settle(skipping);
        archiveLate(reports);
        return answer(reports, outcomes, changed, ready);
    }

    /**
     * What a failure does to the step; NULL: the task is tried again. The contract is silent on a task that was given up: with its message gone
     * it cannot be tried again.
     */
    private @Nullable Mode effect(Run run, Task task, Report report) {
        int maxAttempts = requireNonNull(model.options(run.flow, task.of.step).maxAttempts());
        boolean exhausted = task.attempts >= maxAttempts || Boolean.TRUE.equals(report.permanent()) || task.givenUp;
        return exhausted ? task.of.step.whenExhausted() : null;
    }

    /** {@code release_tasks}: whatever became of step and run meanwhile; but a task that was given up has no message to wait with. */
    int release(List<Report> reports) {
        int released = 0;
        for (var report : reports) {
            var claim = started(report);
            if (claim == null || report.claim() == null || claim.task().givenUp) continue;
            claim.task().queueAgain(0);
            claim.task().attempts = Math.max(claim.task().attempts - 1, 0);
            claim.task().worker = null;
            released++;
        }
        return released;
    }

    /** The task that the report is about, if it is started under this claim. */
    private @Nullable Claim started(Report report) {
        var claim = model.find(report);
        return claim != null
                        && claim.task().is("started")
                        && (report.claim() == null || report.claim() == claim.number())
                ? claim
                : null;
    }

    /** The same, if it can still be completed. */
    private @Nullable Claim current(Report report) {
        var claim = started(report);
        return claim != null && claim.run().is("started") && claim.task().of.is("started") ? claim : null;
    }

    private static Set<Run> settle(Set<Run> runs) {
        var ready = new LinkedHashSet<Run>();
        runs.stream().filter(run -> !run.settle().isEmpty()).forEach(ready::add);
        return ready;
    }

    /** Where run or step have ended, nobody needs the message any more. */
    private void archiveLate(List<Report> reports) {
        for (var report : reports) {
            var claim = model.find(report);
            if (claim != null && !(claim.run().is("started") && claim.task().of.is("started")))
                claim.task().archive();
        }
    }

    private List<String> answer(List<Report> reports, String[] outcomes, Set<Run> changed, Set<Run> ready) {
        var answer = new ArrayList<String>();
        var seen = new HashSet<UUID>();
        for (int i = outcomes.length - 1; i >= 0; i--) {
            var run = model.run(reports.get(i).run());
            boolean last = seen.add(reports.get(i).run());
            boolean ended = run != null && changed.contains(run) && !run.is("started");
            answer.addFirst("%d %s run %s ready %s"
                    .formatted(
                            i + 1,
                            outcomes[i],
                            last && ended ? requireNonNull(run).status : "-",
                            Model.shown(ready.contains(run))));
        }
        return answer;
    }
}
