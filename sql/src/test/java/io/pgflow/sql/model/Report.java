package io.pgflow.sql.model;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a worker says of a task: its output, or its error. A NULL claim stands for whichever is current. */
record Report(
        UUID run,
        String step,
        int index,
        @Nullable Integer claim,
        @Nullable Json output,
        @Nullable String error,
        @Nullable Boolean permanent,
        @Nullable Integer retryAfter) {

    /** As those say it who know of one task at a time, and nothing of claims. */
    Report ofAnyClaim() {
        return new Report(run, step, index, null, output, error, null, null);
    }
}
