package io.pgflow.sql.model;

import io.pgflow.sql.model.Definition.Options;
import io.pgflow.sql.model.Model.Claim;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Does to the model and to the SQL what a scenario says, and compares all that can be seen after each act. */
final class Play {
    static final List<String> WORKERS = List.of("anna", "bert");

    /** The two differ. */
    static final class Difference extends Exception {
        private static final long serialVersionUID = 1;

        Difference(List<String> story, List<String> expected, List<String> actual) {
            super(String.join("\n", story)
                    + "\nonly in the model:\n  " + String.join("\n  ", without(expected, actual))
                    + "\nonly in the database:\n  " + String.join("\n  ", without(actual, expected)));
        }

        private static List<String> without(List<String> lines, List<String> others) {
            var left = new ArrayList<>(lines);
            others.forEach(left::remove);
            return left;
        }
    }

    private final Scenario scenario;
    private final Core core;
    private final Model model;
    private final Reports reports;
    private final List<String> story = new ArrayList<>();
    /** The act's own. */
    private Random random = new Random(0);

    private Picks picks;

    Play(Scenario scenario, Core core) {
        this.scenario = scenario;
        this.core = core;
        model = new Model(scenario.flows());
        reports = new Reports(model);
        picks = new Picks(random, model);
        scenario.flows().forEach(flow -> story.add(flow.toString()));
    }

    /** Returns every line that was compared. */
    List<String> run() throws SQLException, Difference {
        var seen = new ArrayList<String>();
        core.begin(scenario.flows(), WORKERS);
        for (var act : scenario.acts()) {
            seen.addAll(perform(act));
            seen.addAll(compare(model.state(), core.state()));
        }
        return seen;
    }

    /** Both in any order, with runs as the model calls them. */
    private List<String> compare(List<String> expected, List<String> actual) throws Difference {
        var left = expected.stream().sorted().toList();
        var right = actual.stream().map(this::named).sorted().toList();
        if (!left.equals(right)) throw new Difference(story, left, right);
        return left;
    }

    private String named(String line) {
        for (var run : model.runs) line = line.replace(run.id.toString(), model.name(run.id));
        return line;
    }

    private List<String> perform(Act act) throws SQLException, Difference {
        random = new Random(act.seed());
        picks = new Picks(random, model);
        var flow = scenario.flows().get(random.nextInt(4) == 0 ? 1 : 0);
        var worker = picks.any(WORKERS);
        return switch (act.kind()) {
            case START_FLOWS -> startFlows(flow);
            case START_FLOW -> startFlow(flow);
            case CLAIM -> claim(flow, worker);
            case CLAIM_FEW -> claimFew(flow, worker);
            case POLL -> poll(flow, worker);
            case START_UNREAD -> startUnread(flow, worker);
            case COMPLETE_TASKS -> {
                var said = picks.reports();
                var workers = picks.workers(said);
                tell("complete_tasks(%s, %s)".formatted(said, workers));
                var answer = core.complete(said, workers);
                var expected = reports.complete(said, workers, core.tasks());
                yield compare(expected, answer);
            }
            case COMPLETE_TASK -> {
                var report = picks.report().ofAnyClaim();
                tell("complete_task(%s)".formatted(report));
                reports.complete(List.of(report));
                yield compare(row(report), core.completeOne(report));
            }
            case FAIL_TASKS -> {
                var said = picks.reports();
                tell("fail_tasks(%s)".formatted(said));
                yield compare(reports.fail(said), core.fail(said));
            }
            case FAIL_TASK -> {
                var report = picks.report().ofAnyClaim();
                tell("fail_task(%s)".formatted(report));
                reports.fail(List.of(report));
                yield compare(row(report), core.failOne(report));
            }
            case RELEASE -> {
                var said = picks.reports();
                tell("release_tasks(%s)".formatted(said));
                yield compare(List.of("" + reports.release(said)), core.release(said));
            }
            case AGE -> age();
            case REQUEUE -> {
                tell("requeue_stalled_tasks()");
                yield compare(List.of("" + model.requeueStalled()), core.requeueStalled());
            }
            case RECOVER -> {
                tell("recover_tasks()");
                yield compare(model.recover(), core.recover());
            }
            case SHOW -> {
                tell("all messages of %s become visible".formatted(flow.slug()));
                yield show(flow, Integer.MAX_VALUE);
            }
            case STOP_WORKER -> {
                tell("%s stops".formatted(worker));
                model.stoppedWorkers.add(worker);
                yield core.stopWorker(worker);
            }
            case REVIVE_WORKER -> {
                tell("%s is alive".formatted(worker));
                model.stoppedWorkers.remove(worker);
                yield core.reviveWorker(worker);
            }
            case TUNE -> tune(flow);
            case FORCE_SKIP -> forceSkip();
            case NUDGE -> nudge();
        };
    }

    private List<String> startFlows(Definition flow) throws SQLException, Difference {
        var inputs = new ArrayList<@Nullable Json>();
        var given = new ArrayList<@Nullable UUID>();
        for (int i = random.nextInt(4); i >= 0; i--) {
            inputs.add(picks.input(flow));
            var others = Stream.concat(given.stream(), model.runs.stream().map(run -> run.id))
                    .toList();
            given.add(random.nextInt(8) == 0 && !others.isEmpty() ? picks.any(others) : picks.newId());
        }
        tell("start_flows(%s, %s, %s)".formatted(flow.slug(), inputs, given));
        var answer = core.startFlows(flow, inputs, given);
        return compare(model.startRuns(flow, inputs, ids(answer, given.toArray(UUID[]::new)), true), answer);
    }

    private List<String> startFlow(Definition flow) throws SQLException, Difference {
        var input = picks.input(flow);
        boolean again = random.nextInt(4) == 0 && !model.runs.isEmpty();
        var id = again ? picks.any(model.runs).id : picks.newId();
        tell("start_flow(%s, %s, %s)".formatted(flow.slug(), input, id));
        var answer = core.startFlow(flow, input, id);
        return compare(model.startRuns(flow, Collections.singletonList(input), ids(answer, id), false), answer);
    }

    /** The ids of the runs as the SQL has them: it chose those that were not given. */
    private static List<UUID> ids(List<String> answer, @Nullable UUID... given) {
        var ids = new ArrayList<UUID>();
        for (var id : given) {
            var line = answer.size() == given.length ? answer.get(ids.size()) : "";
            var chosen = line.endsWith(" new t") ? UUID.fromString(line.substring(0, 36)) : new UUID(0, 0);
            ids.add(id == null ? chosen : id);
        }
        return ids;
    }

    private List<String> claim(Definition flow, String worker) throws SQLException, Difference {
        tell("claim_tasks(%s, %s, 1000)".formatted(flow.slug(), worker));
        var answer = core.claim(flow, worker, 1000);
        var expected = model.claim(flow, worker);
        // seconds pass, since those of overdue tasks are hidden for no more
        if (!model.tasks(flow, task -> task.isInQueue() && task.hidden > 0 && task.hidden < 500)
                .isEmpty()) show(flow, 500);
        return compare(expected, answer);
    }

    /** Fewer than there are. Which ones is open, but where only tasks that can be started are visible, it gets that many. */
    private List<String> claimFew(Definition flow, String worker) throws SQLException, Difference {
        var visible = model.tasks(flow, Task::isVisible);
        if (visible.stream().anyMatch(claim -> !claim.task().is("queued"))) return List.of();
        int quantity = 1 + random.nextInt(3);
        tell("claim_tasks(%s, %s, %d)".formatted(flow.slug(), worker, quantity));
        var answer = core.claim(flow, worker, quantity);
        var named = answer.stream()
                .map(this::named)
                .map(line -> line.substring(0, line.indexOf(' ')))
                .toList();
        var claimed = visible.stream()
                .filter(claim -> named.contains(model.name(claim)))
                .toList();
        var started = model.start(claimed, worker);
        compare(List.of("" + Math.min(quantity, visible.size())), List.of("" + started.size()));
        return compare(started.stream().map(model::toldWithClaim).toList(), answer);
    }

    /** The contract's two phases. */
    private List<String> poll(Definition flow, String worker) throws SQLException, Difference {
        int lease = Scenario.oneOf(random, 0, 3000);
        int quantity = Scenario.oneOf(random, 1, 2, 1000);
        tell("start_tasks(%s, those of read(%d, %d), %s)".formatted(flow.slug(), lease, quantity, worker));
        var visible = model.tasks(flow, Task::isVisible);
        var messages = core.read(flow, lease, quantity);
        var named = core.tasksOf(flow, messages).stream().map(this::named).toList();
        var read = visible.stream()
                .filter(claim -> named.contains(model.name(claim)))
                .toList();
        compare(List.of("" + Math.min(quantity, visible.size())), List.of("" + read.size()));
        read.forEach(claim -> claim.task().hidden = lease);
        var answer = core.startTasks(flow, messages, worker);
        return compare(told(model.start(read, worker)), answer);
    }

    private List<String> startUnread(Definition flow, String worker) throws SQLException, Difference {
        tell("start_tasks(%s, all there are, %s)".formatted(flow.slug(), worker));
        var answer = core.startTasks(flow, core.messagesOf(flow), worker);
        return compare(told(model.start(model.tasks(flow, task -> true), worker)), answer);
    }

    private List<String> told(List<Claim> claims) {
        return claims.stream().map(model::told).toList();
    }

    private List<String> age() throws SQLException {
        var started = model.allTasks(task -> task.is("started")).toList();
        if (started.isEmpty()) return List.of();
        var some = random.nextBoolean() ? started : List.of(picks.any(started), picks.any(started));
        for (var claim : some) {
            int seconds = Scenario.oneOf(random, 12_000, 17_000, 25_000);
            tell("%s was started %d s earlier".formatted(model.name(claim), seconds));
            core.age(picks.report(claim), seconds);
            claim.task().startedAgo += seconds;
        }
        return List.of();
    }

    private List<String> show(Definition flow, int seconds) throws SQLException {
        core.show(flow, seconds);
        model.tasks(flow, task -> task.hidden < seconds).forEach(claim -> claim.task().hidden = 0);
        return List.of();
    }

    private List<String> tune(Definition flow) throws SQLException {
        var step = random.nextBoolean() && !flow.steps().isEmpty() ? picks.any(flow.steps()) : null;
        var options = step == null
                ? new Options(random.nextInt(4), 0, Scenario.oneOf(random, 10_000, 20_000))
                : Scenario.tuning(random);
        tell("%s now has %s".formatted(step == null ? flow.slug() : flow.slug() + "." + step.slug(), options));
        core.tune(flow, step, options);
        model.tune(flow, step, options);
        return List.of();
    }

    private List<String> forceSkip() throws SQLException, Difference {
        if (model.runs.isEmpty()) return List.of();
        var run = picks.any(model.runs);
        if (run.steps.isEmpty()) return List.of();
        var step = picks.any(List.copyOf(run.steps.values()));
        tell("_cascade_force_skip_steps(%s, %s), maybe_complete_run".formatted(run.id, step.step.slug()));
        var expected = List.of("" + run.skipCascade(step, "by hand", null));
        run.maybeComplete();
        var answer = core.forceSkip(run.id, step.step.slug());
        core.nudge(run.id);
        return compare(expected, answer);
    }

    private List<String> nudge() throws SQLException {
        if (model.runs.isEmpty()) return List.of();
        var run = picks.any(model.runs);
        tell("the cascades, start_ready_steps, maybe_complete_run(%s)".formatted(run.id));
        core.nudge(run.id);
        return List.of();
    }

    /** What the single-task functions return. */
    private List<String> row(Report report) {
        var claim = model.find(report);
        if (claim == null) return List.of();
        return List.of("%s %s attempts %d".formatted(model.name(claim), claim.task().status, claim.task().attempts));
    }

    private void tell(String act) {
        story.add(named(act));
    }
}
