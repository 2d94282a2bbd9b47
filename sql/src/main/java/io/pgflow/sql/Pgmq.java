package io.pgflow.sql;

import java.util.Objects;

/**
 * The pgmq of a database.
 *
 * @param kind where it comes from
 * @param version the extension's version, our own release, or of a file that carries none the oldest version that has what it has
 */
public record Pgmq(Kind kind, String version) {
    /** Where a pgmq comes from. */
    public enum Kind {
        /** The extension. */
        EXTENSION,
        /** PgFlow's own, in SQL. */
        OURS,
        /** SQL that somebody else installed. */
        OTHER_SQL
    }

    /** Refuses nulls. */
    public Pgmq {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(version, "version");
    }

    @Override
    public String toString() {
        return switch (kind) {
            case EXTENSION -> "pgmq " + version + " (extension)";
            case OURS -> "pgmq by PgFlow, release " + version;
            case OTHER_SQL -> "pgmq " + version + " or newer (SQL only)";
        };
    }
}
