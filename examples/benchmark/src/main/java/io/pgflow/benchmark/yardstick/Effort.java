package io.pgflow.benchmark.yardstick;

import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * What has been spent so far.
 *
 * @param statements that clients have sent to the database, BEGIN and COMMIT among them
 * @param commits transactions in the server that have written something
 * @param walBytes of the server
 * @param serverSeconds of CPU, of all the server's processes; empty where there is no /proc
 * @param jvmSeconds of CPU, of this JVM
 */
record Effort(long statements, long commits, long walBytes, OptionalDouble serverSeconds, double jvmSeconds) {
    /** What /proc counts CPU time in, on every Linux. */
    private static final double TICKS_PER_SECOND = 100;

    static Effort now(Database database) {
        return new Effort(
                database.server().statements(database),
                database.number("select pg_snapshot_xmax(pg_current_snapshot())::text"),
                database.number("select pg_current_wal_lsn() - '0/0'::pg_lsn"),
                serverSeconds(database.server()),
                ProcessHandle.current()
                                .info()
                                .totalCpuDuration()
                                .orElse(Duration.ZERO)
                                .toNanos()
                        / 1e9);
    }

    /** What was spent since then. */
    Effort since(Effort before) {
        return new Effort(
                statements - before.statements,
                commits - before.commits,
                walBytes - before.walBytes,
                serverSeconds.isPresent() && before.serverSeconds.isPresent()
                        ? OptionalDouble.of(serverSeconds.getAsDouble() - before.serverSeconds.getAsDouble())
                        : OptionalDouble.empty(),
                jvmSeconds - before.jvmSeconds);
    }

    /** Of the postmaster, of all children that it has seen end, and of those that live. */
    private static OptionalDouble serverSeconds(Server server) {
        var postmaster = ProcessHandle.of(server.process());
        if (postmaster.isEmpty() || !Files.exists(stat(server.process()))) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(Stream.concat(
                        ticks(server.process(), 4), postmaster.get().children().flatMap(child -> ticks(child.pid(), 2)))
                .mapToDouble(ticks -> ticks / TICKS_PER_SECOND)
                .sum());
    }

    /** utime, stime, cutime and cstime, or the first of them; nothing if the process has ended. */
    private static Stream<Double> ticks(long process, int fields) {
        try {
            var line = Files.readString(stat(process));
            var afterName = line.substring(line.lastIndexOf(')') + 2).split(" ");
            return Stream.of(afterName).skip(11).limit(fields).map(Double::valueOf);
        } catch (IOException e) {
            return Stream.empty();
        }
    }

    private static Path stat(long process) {
        return Path.of("/proc", Long.toString(process), "stat");
    }
}
