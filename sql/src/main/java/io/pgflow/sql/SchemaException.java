package io.pgflow.sql;

import java.util.Optional;

/**
 * The schema could not be installed or upgraded, or does not fit this release. The database is as it was before; the message says what was
 * found, in which file or schema, and what to do.
 */
public final class SchemaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SchemaException(String message) {
        super(message);
    }

    SchemaException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The same, telling what is there. */
    SchemaException found(Optional<SchemaReport> report) {
        return report.map(found -> new SchemaException(getMessage() + "\nThere is:\n" + found, this))
                .orElse(this);
    }
}
