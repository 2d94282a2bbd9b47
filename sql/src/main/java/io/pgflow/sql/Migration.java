package io.pgflow.sql;

import java.util.List;
import java.util.Objects;

/**
 * What {@link Schema#migrate} found and did.
 *
 * @param outcome what became of the schema
 * @param applied the files applied, in their order; empty where nothing was changed
 * @param pgmq the pgmq that is used
 */
public record Migration(Outcome outcome, List<String> applied, Pgmq pgmq) {
    /** What became of the schema. */
    public enum Outcome {
        /** There was none; it was installed. */
        INSTALLED,
        /** Files that were new or had changed were applied. */
        UPGRADED,
        /** It was as this release wants it. */
        UNCHANGED,
        /** A newer release has been here: its functions were kept. */
        NEWER,
        /** Somebody else made it: it was left as it is. */
        FOREIGN
    }

    /** Refuses nulls, and copies. */
    public Migration {
        Objects.requireNonNull(outcome, "outcome");
        applied = List.copyOf(applied);
        Objects.requireNonNull(pgmq, "pgmq");
    }
}
