package io.pgflow.sql.model;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A flow as it was defined. Times in seconds; NULL options are the flow's. */
record Definition(String slug, Options options, List<Step> steps) {

    /** What may be tuned at any time. */
    record Options(
            @Nullable Integer maxAttempts,
            @Nullable Integer baseDelay,
            @Nullable Integer timeout) {
        Options orElse(Options others) {
            return new Options(
                    maxAttempts == null ? others.maxAttempts : maxAttempts,
                    baseDelay == null ? others.baseDelay : baseDelay,
                    timeout == null ? others.timeout : timeout);
        }
    }

    /** What becomes of a step whose condition is not met, or whose attempts are exhausted. */
    enum Mode {
        FAIL,
        SKIP,
        SKIP_CASCADE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    record Step(
            String slug,
            boolean map,
            List<String> dependencies,
            Options options,
            int startDelay,
            @Nullable Json required,
            @Nullable Json forbidden,
            Mode whenUnmet,
            Mode whenExhausted) {
        boolean root() {
            return dependencies.isEmpty();
        }

        boolean conditional() {
            return required != null || forbidden != null;
        }

        @Override
        public String toString() {
            return slug + (map ? " map" : "")
                    + (root() ? "" : ": " + String.join(", ", dependencies))
                    + " | " + options + ", start_delay " + startDelay
                    + (required == null ? "" : ", if " + required)
                    + (forbidden == null ? "" : ", if not " + forbidden)
                    + (conditional() ? ", when_unmet " + whenUnmet : "")
                    + ", when_exhausted " + whenExhausted;
        }
    }

    boolean hasRootMap() {
        return steps.stream().anyMatch(step -> step.map() && step.root());
    }

    boolean isLeaf(String step) {
        return steps.stream().noneMatch(other -> other.dependencies().contains(step));
    }

    Definition without(Step step) {
        return new Definition(
                slug,
                options,
                steps.stream().filter(other -> !other.equals(step)).toList());
    }

    @Override
    public String toString() {
        return steps.stream().map(step -> "\n  " + step).collect(Collectors.joining("", slug + " " + options, ""));
    }
}
