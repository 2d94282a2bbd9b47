package io.pgflow;

import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The rules that a flow's definition must keep. A breach is thrown with the flow, the step and the rule. */
record Rules(String flow, @Nullable String step) {

    private static final Pattern SLUG = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");
    private static final int LONGEST_STEP_SLUG = 128;
    private static final int LONGEST_FLOW_SLUG = 47; // the queue is named after the flow, and pgmq's limit is 47

    PgflowException.InvalidFlow breach(String rule) {
        return new PgflowException.InvalidFlow(flow, step, rule);
    }

    void slug() {
        String slug = step == null ? flow : step;
        int longest = step == null ? LONGEST_FLOW_SLUG : LONGEST_STEP_SLUG;
        if (!SLUG.matcher(slug).matches()) {
            throw breach(
                    "a slug is made of the letters a to z and A to Z, digits and underscores, and begins with no digit");
        }
        if (slug.equals("run")) {
            throw breach("the slug 'run' is reserved");
        }
        if (slug.length() > longest) {
            throw breach("its slug has at most %d characters; this one has %d".formatted(longest, slug.length()));
        }
    }

    int attempts(int attempts) {
        if (attempts < 1) {
            throw breach("max attempts are at least 1, not " + attempts);
        }
        return attempts;
    }

    Duration baseDelay(Duration delay) {
        return seconds("base delay", delay, 1);
    }

    Duration timeout(Duration limit) {
        return seconds("timeout", limit, 3);
    }

    Duration seconds(String option, Duration value, int least) {
        boolean inRange = value.getSeconds() >= least && value.getSeconds() <= Integer.MAX_VALUE;
        if (!inRange || value.getNano() != 0) {
            throw breach("%s is whole seconds, from %d to 2^31 - 1, not %s".formatted(option, least, value));
        }
        return value;
    }

    /** A pattern that what the step depends on can contain at all. */
    Condition condition(Step<?> conditional, Object pattern) {
        Condition condition;
        try {
            condition = Condition.of(pattern);
        } catch (IllegalArgumentException e) {
            throw breach("a condition's pattern is a JSON object, made of a Map or a record; %s: %s"
                    .formatted(pattern.getClass().getName(), e.getMessage()));
        }
        List<String> dependencies =
                conditional.dependencies().stream().map(Step::slug).toList();
        if (dependencies.isEmpty() && conditional.owner().input().type() instanceof ListType) {
            throw breach(
                    "the condition of a root step looks at the run's input, which is a list here and never contains"
                            + " the members of an object");
        }
        if (!dependencies.isEmpty() && !dependencies.containsAll(condition.members())) {
            throw breach("its condition looks at an object with the members %s, one a dependency; the pattern has %s"
                    .formatted(
                            dependencies, condition.members().stream().sorted().toList()));
        }
        return condition;
    }

    /** What a map reads is a list by its type, unless somebody cast it. */
    void list(Source<?> source) {
        boolean isList = switch (source) {
            case Step<?> earlier -> earlier.elementType().isPresent();
            case Source.Input<?> input -> input.type() instanceof ListType;
            case Source.Maybe<?> maybe -> false;
            case Source.Context context -> false;
        };
        if (!isList) {
            throw breach(
                    "a map reads a list: a step defined with list or map, or the input of a flow begun with ofList; %s is none"
                            .formatted(source));
        }
    }

    /** A step reads what its own builder gave. */
    void sourcesOf(FlowBuilder<?> owner, List<? extends Source<?>> sources) {
        for (Source<?> source : sources) {
            var from = switch (source) {
                case Step<?> earlier -> earlier.owner();
                case Source.Maybe<?> maybe -> maybe.step().owner();
                case Source.Input<?> input -> input.owner();
                case Source.Context any -> owner;
            };
            if (from != owner) {
                throw breach("it reads %s, which is not of this definition".formatted(source));
            }
        }
    }

    /** A single step must be able to run without what may be skipped; a map has no elements then. */
    void absences(Step<?> reader) {
        for (Source<?> source : reader.sources()) {
            if (source instanceof Step<?> read && read.maySkip() && !reader.isMap()) {
                throw breach(
                        "it reads step '%s', which may be skipped: read it with .optional(), or skip both with SKIP_CASCADE"
                                .formatted(read.slug()));
            }
        }
    }
}
