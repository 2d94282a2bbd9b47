package io.pgflow.sql.model;

import static java.util.Objects.requireNonNull;

import io.pgflow.sql.model.Definition.Options;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The functions of the contract and our additions, on objects. Each answers in lines, as {@link Core} does for the SQL.
 */
final class Model {
    /** A task was started under this number. */
    record Claim(Run run, Task task, int number) {}

    final List<Definition> flows;
    final List<Run> runs = new ArrayList<>();
    final List<Claim> claims = new ArrayList<>();
    final Set<String> stoppedWorkers = new HashSet<>();
    private final Map<String, Options> tuned = new HashMap<>();

    Model(List<Definition> flows) {
        this.flows = flows;
    }

    // Definitions and runs

    /** The options of a step as they are now. */
    Options options(Definition flow, Definition.Step step) {
        return tuned.getOrDefault(flow.slug() + "." + step.slug(), step.options())
                .orElse(tuned.getOrDefault(flow.slug(), flow.options()));
    }

    void tune(Definition flow, Definition.@Nullable Step step, Options options) {
        tuned.put(step == null ? flow.slug() : flow.slug() + "." + step.slug(), options);
    }

    @Nullable
    Run run(UUID id) {
        return runs.stream().filter(run -> run.id.equals(id)).findFirst().orElse(null);
    }

    /** Section 9.1, for each of the inputs. A run id that is there already is that run, if it is one of the flow. */
    List<String> startRuns(Definition flow, List<@Nullable Json> inputs, List<UUID> ids, boolean reuse) {
        for (var input : inputs) {
            if (flow.hasRootMap() && !(input instanceof Json.Array)) {
                return List.of("P0001 Flow " + flow.slug() + " has root map steps but input is "
                        + (input == null ? "NULL" : "not an array (got " + Json.typeOf(input) + ")"));
            }
            if (input == null) return List.of("23502"); // not null
        }
        for (var id : ids) {
            var other = run(id);
            if (other != null && (!reuse || !other.isOf(flow))) return List.of("23505"); // unique
        }
        var answer = new ArrayList<String>();
        for (int i = 0; i < inputs.size(); i++) {
            boolean isNew = run(ids.get(i)) == null;
            if (isNew) {
                var run = new Run(ids.get(i), flow, requireNonNull(inputs.get(i)));
                runs.add(run);
                run.settle();
            }
            answer.add(name(ids.get(i)) + " new " + shown(isNew));
        }
        return answer;
    }

    // Claims

    /** Of the messages, the tasks that can be started are. Section 9.6, with the messages hidden as it recommends. */
    List<Claim> start(List<Claim> messages, String worker) {
        var started = new LinkedHashSet<Claim>();
        for (var message : messages) {
            var task = message.task;
            if (!task.is("queued") || !task.of.is("started") || !message.run.is("started")) continue;
            task.start(worker, timeout(message) + 2);
            started.add(new Claim(message.run, task, task.claim));
        }
        claims.addAll(started);
        return List.copyOf(started);
    }

    int timeout(Claim claim) {
        return requireNonNull(options(claim.run.flow, claim.task.of.step).timeout());
    }

    String told(Claim claim) {
        var inputs = claim.run.inputs(claim.task);
        return "%s input %s of run %s".formatted(name(claim), inputs.getKey(), inputs.getValue());
    }

    String toldWithClaim(Claim claim) {
        return "%s attempt %d claim %d timeout %d"
                .formatted(told(claim), claim.task.attempts, claim.task.claim, timeout(claim));
    }

    /** {@code claim_tasks}, of all visible messages: those of tasks that were started already are hidden until these are overdue. */
    List<String> claim(Definition flow, String worker) {
        var visible = tasks(flow, Task::isVisible);
        var started = start(visible, worker);
        for (var message : visible) {
            if (started.stream().noneMatch(claim -> claim.task == message.task)) {
                message.task.hidden = Math.max(5, timeout(message) + 30 - message.task.startedAgo);
            }
        }
        return started.stream().map(this::toldWithClaim).toList();
    }

    /** The tasks of a flow, each as if claimed. */
    List<Claim> tasks(Definition flow, Predicate<Task> which) {
        return runs.stream()
                .filter(run -> run.isOf(flow))
                .flatMap(run -> run.steps.values().stream()
                        .flatMap(step -> step.tasks.stream())
                        .filter(which)
                        .map(task -> new Claim(run, task, task.claim)))
                .toList();
    }

    Stream<Claim> allTasks(Predicate<Task> which) {
        return flows.stream().flatMap(flow -> tasks(flow, which).stream());
    }

    /** The task that the report is about, whatever became of it. */
    @Nullable
    Claim find(Report report) {
        var run = run(report.run());
        var step = run == null ? null : run.steps.get(report.step());
        if (run == null || step == null || report.index() < 0 || report.index() >= step.tasks.size()) return null;
        var task = step.tasks.get(report.index());
        return new Claim(run, task, task.claim);
    }

    // Recovery

    /** Section 9.10, with Q7 and Q9 as recommended: only of tasks whose messages are in the queue. */
    int requeueStalled() {
        int requeued = 0;
        for (var claim : abandoned(false)) {
            if (claim.task.requeued < 3) {
                requeue(claim.task);
                requeued++;
            } else {
                claim.task.givenUp = true;
                claim.task.archive();
            }
        }
        return requeued;
    }

    /** {@code recover_tasks}: those put back three times fail for good, in the order of run ids, slugs and indexes. */
    List<String> recover() {
        var answer = new ArrayList<String>();
        var last = new ArrayList<Report>();
        for (var claim : abandoned(true)) {
            var task = claim.task;
            if (task.requeued >= 3) {
                last.add(new Report(
                        claim.run.id, task.of.step.slug(), task.index, task.claim, null, Core.GIVEN_UP, true, null));
            } else {
                answer.add("%s of %s requeued".formatted(name(claim), shown(task.worker)));
                requeue(task);
            }
        }
        last.sort((a, b) -> {
            int order = a.run().toString().compareTo(b.run().toString());
            if (order == 0) order = a.step().compareTo(b.step());
            return order == 0 ? Integer.compare(a.index(), b.index()) : order;
        });
        var outcomes = new Reports(this).fail(last);
        for (int i = 0; i < outcomes.size(); i++) {
            var claim = requireNonNull(find(last.get(i)));
            if (outcomes.get(i).contains(" failed run ")) {
                answer.add("%s of %s failed".formatted(name(claim), shown(claim.task.worker)));
            }
        }
        return answer;
    }

    private List<Claim> abandoned(boolean orphans) {
        return runs.stream()
                .flatMap(run -> run.steps.values().stream()
                        .flatMap(step -> step.tasks.stream())
                        .filter(task -> task.is("started") && task.isInQueue())
                        .map(task -> new Claim(run, task, task.claim)))
                .filter(claim -> claim.task.startedAgo > timeout(claim) + 30
                        || (orphans && claim.task.worker != null && stoppedWorkers.contains(claim.task.worker)))
                .toList();
    }

    private static void requeue(Task task) {
        task.queueAgain(0);
        task.requeued++;
        task.worker = null;
    }

    // Names

    String name(UUID run) {
        for (int i = 0; i < runs.size(); i++) if (runs.get(i).id.equals(run)) return "r" + (i + 1);
        return "r?";
    }

    String name(Claim claim) {
        return "%s.%s[%d]".formatted(name(claim.run.id), claim.task.of.step.slug(), claim.task.index);
    }

    /** All there is, a line each, as {@link Core#state} has it. */
    List<String> state() {
        return runs.stream().flatMap(run -> run.lines(name(run.id))).toList();
    }

    /** NULL is a dash: JSON has a null of its own. */
    static String shown(@Nullable Object value) {
        return switch (value) {
            case null -> "-";
            case Boolean truth -> truth ? "t" : "f";
            default -> value.toString();
        };
    }
}
