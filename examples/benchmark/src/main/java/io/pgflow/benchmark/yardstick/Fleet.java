package io.pgflow.benchmark.yardstick;

import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Worker processes, some of which work. For one thread. */
final class Fleet implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final Duration END = Duration.ofSeconds(30);

    /** So that each has connections, and the server plans. */
    private static final int TASKS_BEFORE = 500;

    private final List<Member> members = new ArrayList<>();

    private Fleet() {}

    /** A process, and what it answers. */
    private record Member(Process process, BufferedReader answers) {
        void tell(String command) throws IOException {
            process.outputWriter(StandardCharsets.UTF_8)
                    .append(command)
                    .append('\n')
                    .flush();
        }

        void awaitDone() throws IOException {
            if (answers.readLine() == null) {
                throw new IllegalStateException("worker process " + process.pid() + " has ended: see above");
            }
        }
    }

    /** Starts processes, none of which works yet. */
    static Fleet start(int processes) throws IOException {
        var fleet = new Fleet();
        for (int i = 0; i < processes; i++) {
            var process = new ProcessBuilder(
                            ProcessHandle.current().info().command().orElse("java"),
                            "--enable-preview",
                            "-cp",
                            System.getProperty("java.class.path"),
                            WorkerProcess.class.getName())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            fleet.members.add(new Member(process, process.inputReader(StandardCharsets.UTF_8)));
        }
        return fleet;
    }

    /**
     * Has some of the processes do single steps in a new database. All runs become visible to them at once, when they wait for work and know how to do it; the
     * time goes from then until the last one is recorded.
     */
    double tasksPerSecond(Server server, int processes, int tasks) throws Exception {
        var working = members.subList(0, processes);
        try (var database = server.create("fleet")) {
            working(working, database.dataSource().getURL());
            try {
                secondsFor(database, Math.min(tasks, TASKS_BEFORE * processes));
                return tasks / secondsFor(database, tasks);
            } finally {
                working(working, "");
            }
        }
    }

    private static void working(List<Member> members, String where) throws IOException {
        for (var member : members) {
            member.tell(where);
        }
        for (var member : members) {
            member.awaitDone();
        }
    }

    private static double secondsFor(Database database, int runs) throws SQLException, InterruptedException {
        var inputs = new String[runs];
        Arrays.fill(inputs, "1");
        long committing;
        try (var connection = database.connect();
                var start = connection.prepareStatement("select count(*) from pgflow.start_flows('work', ?)")) {
            connection.setAutoCommit(false);
            start.setArray(1, connection.createArrayOf("jsonb", inputs));
            start.executeQuery().close();
            committing = System.currentTimeMillis();
            connection.commit();
        }
        long giveUpAt = System.nanoTime() + LIMIT.toNanos();
        while (!database.is("not exists (select from pgmq.q_work)")) {
            if (System.nanoTime() > giveUpAt) {
                throw new IllegalStateException(runs + " runs are not done after " + LIMIT);
            }
            Thread.sleep(20);
        }
        // both clocks are this machine's
        var last = database.number("select (extract(epoch from max(completed_at)) * 1000)::bigint from pgflow.runs");
        return Math.max(1, last - committing) / 1e3;
    }

    /** Ends all processes. */
    @Override
    public void close() {
        try {
            for (var member : members) {
                member.process().outputWriter(StandardCharsets.UTF_8).close(); // ends its input
            }
            for (var member : members) {
                if (!member.process().waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
                    member.process().destroyForcibly();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            members.forEach(member -> member.process().destroyForcibly());
            Thread.currentThread().interrupt();
        }
    }
}
