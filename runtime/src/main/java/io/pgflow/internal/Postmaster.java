package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The server process that a data directory's file {@code postmaster.pid} names; it was alive when it was found. */
record Postmaster(ProcessHandle process, int port) {

    /** The first line of a file whose process is dead beyond doubt: no system gives that number. */
    private static final String NOBODY = Integer.toString(Integer.MAX_VALUE);

    /**
     * Finds the server that runs in a data directory.
     *
     * @param data its real path
     * @return empty if there is none; what a dead server left is then no hindrance to a new one
     * @throws PgflowException.EmbeddedUnavailable if the file is about another directory
     */
    static Optional<Postmaster> of(Path data) throws IOException {
        var file = data.resolve("postmaster.pid");
        List<String> lines; // process id, data directory, start time, port, and more
        try {
            lines = new ArrayList<>(Files.readAllLines(file));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        if (lines.size() < 4) {
            Files.delete(file); // cut short by a crash; PostgreSQL would not start
            return Optional.empty();
        }
        var process = ProcessHandle.of(Long.parseLong(lines.get(0).strip()));
        if (process.isEmpty()) {
            return Optional.empty();
        }
        if (!isPostgres(process.get())) {
            // The number is another program's by now, or of a process that nobody reaps: PostgreSQL would take it for a
            // server. The other lines must stay: by them PostgreSQL finds out whether parts of the dead server live.
            lines.set(0, NOBODY);
            Files.write(file, lines);
            return Optional.empty();
        }
        var served = Path.of(lines.get(1));
        if (!Files.exists(served) || !Files.isSameFile(served, data)) {
            throw new PgflowException.EmbeddedUnavailable(
                    "%s was moved or copied while its server ran, process %d in %s. End that server; if this is a copy, delete %s too."
                            .formatted(data, process.get().pid(), served, file),
                    null);
        }
        return Optional.of(
                new Postmaster(process.get(), Integer.parseInt(lines.get(3).strip())));
    }

    /** Whether it has not ended. */
    boolean runs() {
        return isPostgres(process);
    }

    /** A process that has ended has no program any more, even where it is still listed; one of another user shows us none. */
    private static boolean isPostgres(ProcessHandle process) {
        var program = process.info().command().orElse("");
        return process.isAlive() && program.matches(".*/postgres( \\(deleted\\))?"); // deleted: the file, on Linux
    }
}
