package io.pgflow.sql.model;

import io.pgflow.sql.model.Model.Claim;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What somebody may come up with, given what there is. */
final class Picks {
    private final Random random;
    private final Model model;

    Picks(Random random, Model model) {
        this.random = random;
        this.model = model;
    }

    <T extends @Nullable Object> T any(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    @Nullable
    Json input(Definition flow) {
        if (random.nextInt(30) == 0) return null;
        return flow.hasRootMap() && random.nextInt(30) > 0 ? Scenario.array(random) : Scenario.value(random);
    }

    /** NULL for one that the SQL is to choose. */
    @Nullable
    UUID newId() {
        return random.nextInt(4) == 0 ? null : new UUID(random.nextLong(), random.nextLong());
    }

    /** What a worker may have to say: mostly of tasks in hand, in any order, some of old claims, some twice. */
    List<Report> reports() {
        var reports = new ArrayList<Report>();
        for (int i = random.nextInt(10); i >= 0; i--) reports.add(report());
        if (random.nextInt(5) == 0) reports.add(any(reports));
        return reports;
    }

    /** Workers to go with the reports, mostly able ones; NULL: nobody says. */
    @Nullable
    List<@Nullable String> workers(List<Report> reports) {
        if (random.nextInt(6) == 0) return null;
        var workers = new ArrayList<@Nullable String>();
        for (int i = 0; i < reports.size(); i++) {
            workers.add(random.nextInt(8) == 0 ? null : random.nextInt(12) == 0 ? "unknown" : any(Play.WORKERS));
        }
        return workers;
    }

    Report report() {
        var started = model.allTasks(task -> task.is("started")).toList();
        var known = random.nextInt(6) == 0 ? model.claims : started;
        if (random.nextInt(12) == 0) known = model.allTasks(task -> true).toList();
        if (known.isEmpty() || random.nextInt(40) == 0) {
            var run = model.runs.isEmpty() || random.nextBoolean() ? new UUID(1, 1) : any(model.runs).id;
            return new Report(
                    run,
                    Scenario.oneOf(random, "a", "nowhere"),
                    random.nextInt(9) - 1,
                    null,
                    Json.Scalar.NULL,
                    "unknown",
                    null,
                    null);
        }
        return report(any(known));
    }

    Report report(Claim claim) {
        var step = claim.task().of.step.slug();
        boolean feedsMap = claim.run().flow.steps().stream()
                .anyMatch(other -> other.map() && other.dependencies().contains(step));
        var output = feedsMap && random.nextInt(10) > 0
                ? Scenario.array(random)
                : random.nextInt(10) == 0 ? null : Scenario.value(random);
        return new Report(
                claim.run().id,
                step,
                claim.task().index,
                random.nextInt(8) == 0 ? null : (Integer) claim.number(),
                output,
                random.nextInt(10) == 0 ? null : "e" + random.nextInt(100),
                random.nextInt(3) == 0 ? null : (Boolean) (random.nextInt(5) == 0),
                random.nextInt(3) > 0 ? null : Scenario.oneOf(random, 0, 2000));
    }
}
