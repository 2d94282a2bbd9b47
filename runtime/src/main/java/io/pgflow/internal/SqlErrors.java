package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.util.Set;
import java.util.stream.Stream;
import org.jooq.exception.DataAccessException;

/** Tells errors of the database apart by their SQL state. */
final class SqlErrors {

    private SqlErrors() {}

    /** Whether the database refused the data itself, so that sending it again is pointless: classes 22 (data), 23 (constraints) and 54 (limits). */
    static boolean refusesData(DataAccessException e) {
        return begins(e, "22", "23", "54");
    }

    /**
     * Whether the same statement gets another answer once something else is over: there was none (08, or no state at all), others held what it needs (40,
     * 55P03), the server had no room (53), stops (57P), takes no writes (25) or has other plans now (26, 0A), or something is yet to be granted or
     * installed (42, 3F).
     */
    static boolean heals(DataAccessException e) {
        return begins(e, "00", "08", "0A", "25", "26", "3F", "40", "42", "53", "55P03", "57P");
    }

    private static boolean begins(DataAccessException e, String... states) {
        return Stream.of(states).anyMatch(e.sqlState()::startsWith);
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

    /**
     * Whether the connection is of no use after this, even if it still answers: it was cut (08) or told to go (57P), leads to a server that takes
     * no writes any more (25006), or has plans of statements that have changed since (26000, 0A000).
     */
    static boolean spoilsConnection(DataAccessException e) {
        String state = e.sqlState();
        return state.startsWith("08")
                || state.startsWith("57P")
                || Set.of("25006", "26000", "0A000").contains(state);
    }

    /** State and message of the database, without the statement; of other errors what they are. */
    static String describe(Throwable e) {
        if (e instanceof DataAccessException refused) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            return "[" + refused.sqlState() + "] " + cause.getMessage();
        }
        return e.toString();
    }
}
