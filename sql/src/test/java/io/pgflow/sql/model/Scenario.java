package io.pgflow.sql.model;

import io.pgflow.sql.model.Act.Kind;
import io.pgflow.sql.model.Definition.Mode;
import io.pgflow.sql.model.Definition.Options;
import io.pgflow.sql.model.Definition.Step;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Two flows, and what is done with them. The same seed is the same scenario. */
record Scenario(List<Definition> flows, List<Act> acts) {
    private static final String SLUGS = "abcdefghijkl";

    static Scenario of(long seed) {
        var random = new Random(seed);
        var flows = List.of(flow("alpha", random), flow("beta", random));
        var acts = new ArrayList<Act>();
        acts.add(new Act(Kind.START_FLOWS, random.nextLong()));
        for (int i = 8 + random.nextInt(20); i > 0; i--) acts.add(new Act(Kind.any(random), random.nextLong()));
        if (random.nextInt(10) == 0) acts.addAll(1 + random.nextInt(acts.size()), stalling(random));
        return new Scenario(flows, acts);
    }

    /** Tasks are started again and again, and never end. */
    private static List<Act> stalling(Random random) {
        var acts = new ArrayList<Act>();
        for (int i = 5 + random.nextInt(3); i > 0; i--) {
            acts.add(new Act(Kind.CLAIM, random.nextLong()));
            acts.add(new Act(Kind.AGE, random.nextLong()));
            acts.add(new Act(oneOf(random, Kind.REQUEUE, Kind.RECOVER), random.nextLong()));
        }
        return acts;
    }

    /** The same without one act or one step, each in turn; without the last ones first. */
    Stream<Scenario> smaller() {
        var fewerActs = acts.reversed().stream()
                .map(act -> new Scenario(
                        flows, acts.stream().filter(other -> !other.equals(act)).toList()));
        var fewerSteps = flows.stream()
                .flatMap(flow -> flow.steps().reversed().stream()
                        .filter(step -> flow.isLeaf(step.slug()))
                        .map(step -> new Scenario(
                                flows.stream()
                                        .map(other -> other.equals(flow) ? flow.without(step) : other)
                                        .toList(),
                                acts)));
        return Stream.concat(fewerActs, fewerSteps);
    }

    private static Definition flow(String slug, Random random) {
        var slugs = new ArrayList<>(SLUGS.chars().mapToObj(Character::toString).toList());
        Collections.shuffle(slugs, random);
        var steps = new ArrayList<Step>();
        for (int i = 1 + Math.min(random.nextInt(8), random.nextInt(8)) + random.nextInt(2); i > 0; i--) {
            steps.add(step(slugs.removeFirst(), steps, random));
        }
        return new Definition(slug, new Options(random.nextInt(4), oneOf(random, 0, 1000), 15_000), List.copyOf(steps));
    }

    private static Step step(String slug, List<Step> earlier, Random random) {
        boolean map = random.nextInt(5) < 2;
        int most = map ? 1 : 3;
        var dependencies = new ArrayList<String>();
        for (int i = random.nextInt(most + 1) + (random.nextBoolean() ? 1 : 0); i > 0 && !earlier.isEmpty(); i--) {
            var dependency = earlier.get(random.nextInt(earlier.size())).slug();
            if (dependencies.size() < most && !dependencies.contains(dependency)) dependencies.add(dependency);
        }
        return new Step(
                slug,
                map,
                List.copyOf(dependencies),
                tuning(random),
                random.nextInt(6) == 0 ? 3000 : 0,
                pattern(dependencies, random),
                pattern(dependencies, random),
                oneOf(random, Mode.values()),
                oneOf(random, Mode.values()));
    }

    /** Options of a step: mostly those of its flow. */
    static Options tuning(Random random) {
        return new Options(
                random.nextBoolean() ? null : (Integer) random.nextInt(4),
                random.nextBoolean() ? null : oneOf(random, 0, 0, 1000, 5000, 80_000),
                random.nextBoolean() ? null : oneOf(random, 10_000, 20_000));
    }

    private static @Nullable Json pattern(List<String> dependencies, Random random) {
        if (random.nextInt(5) > 0) return null;
        if (dependencies.isEmpty()) return oneOf(random, Json.Members.EMPTY, object(random));
        var dependency = dependencies.get(random.nextInt(dependencies.size()));
        return Json.object(dependency, random.nextInt(3) == 0 ? Json.Members.EMPTY : value(random));
    }

    /** Of few values, so that conditions are met now and then. */
    static Json value(Random random) {
        return switch (random.nextInt(12)) {
            case 0 -> Json.Scalar.NULL;
            case 1 -> Json.of(false);
            case 2 -> Json.number(0);
            case 3 -> Json.text("");
            case 4 -> Json.text("pro");
            case 5, 6, 7 -> object(random);
            default -> array(random);
        };
    }

    static Json array(Random random) {
        var elements = new ArrayList<Json>();
        for (int i = oneOf(random, 0, 0, 1, 2, 3); i > 0; i--) elements.add(value(random));
        return new Json.Array(elements);
    }

    static Json object(Random random) {
        var value = oneOf(random, Json.of(true), Json.of(false), Json.text("pro"), Json.array(Json.number(1)));
        var object = Json.object(random.nextBoolean() ? "ok" : "plan", value);
        return random.nextInt(3) == 0 ? Json.Members.EMPTY : object;
    }

    @SafeVarargs
    static <T> T oneOf(Random random, T... choices) {
        return choices[random.nextInt(choices.length)];
    }
}
