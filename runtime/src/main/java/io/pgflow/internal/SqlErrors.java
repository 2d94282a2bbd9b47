package io.pgflow.internal;

import io.pgflow.PgflowException;
import org.jooq.exception.DataAccessException;

/** Tells errors of the database apart by their SQL state. */
final class SqlErrors {

    private SqlErrors() {}

    /**
     * Whether the database refused the data itself, so that sending it again is pointless: classes 22 (data), 23 (constraints) and 54 (limits).
     * All else may heal: connections, deadlocks, shutdowns, a full disk, a missing grant.
     */
    static boolean refusesData(DataAccessException e) {
        String state = e.sqlState();
        return state.startsWith("22") || state.startsWith("23") || state.startsWith("54");
    }

    /** The error to throw for one that says what is to be done: a right, a table or a function is missing, whoever asks again. Else the same. */
    static RuntimeException explained(DataAccessException e) {
        return switch (e.sqlState()) {
            case "42501" -> new PgflowException.PermissionMissing(describe(e), e);
            case "3F000", "42P01", "42883", "42703" ->
                new PgflowException.SchemaMismatch(
                        "one in which something is missing, " + describe(e),
                        "that of this release or a newer one",
                        "Bring it up to date: start a worker of this release, or call Schema.migrate.");
            default -> e;
        };
    }

    /** State and message of the database, without the statement; of other errors what they are. */
    static String describe(RuntimeException e) {
        if (e instanceof DataAccessException refused) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            return "[" + refused.sqlState() + "] " + cause.getMessage();
        }
        return e.toString();
    }
}
