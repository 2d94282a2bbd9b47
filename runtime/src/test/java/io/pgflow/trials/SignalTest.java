package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.TestFlows;
import io.pgflow.Workers;
import java.io.IOException;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** A process is told to end, as operators and their tools do. */
@ExtendWith(TestFlows.Extension.class)
@Timeout(180)
class SignalTest {

    /** What a signal may take beyond the grace, and then some on a busy machine. */
    private static final Duration AFTER_GRACE = Duration.ofSeconds(5 + 15);

    /** A program whose one task ends when a line of input comes; its further arguments are the flow's slug and the seconds of grace. */
    static final class Program {
        public static void main(String[] args) {
            Runtime.getRuntime()
                    .addShutdownHook(Thread.ofPlatform().unstarted(() -> System.out.println("told to end")));
            var go = new CountDownLatch(1);
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    if (System.in.read() >= 0) {
                        go.countDown();
                    }
                } catch (IOException e) {
                    // no input any more
                }
            });
            Workers.connect(args[0], args[1], args[2])
                    .grace(Duration.ofSeconds(Integer.parseInt(args[4])))
                    .run(flow(args[3], go));
            System.out.println("run has returned");
        }
    }

    private static Flow<String> flow(String slug, CountDownLatch go) {
        var flow = Flow.of(slug, String.class);
        flow.step("a", String.class, s -> {
            System.out.println("in hand");
            go.await();
            return s + "!";
        });
        return flow.build();
    }

    private static WorkerProcess start(PGSimpleDataSource database, String slug, int grace) {
        return WorkerProcess.start(Program.class, database, List.of(), slug, Integer.toString(grace));
    }

    private static WorkerProcess withATaskInHand(TestFlows flows, PGSimpleDataSource database, String slug, int grace)
            throws InterruptedException {
        var flow = flow(slug, new CountDownLatch(0));
        flows.compile(flow);
        flows.client().start(flow, "x");
        var program = start(database, slug, grace);
        program.awaitLine("in hand");
        return program;
    }

    private static String task(TestFlows flows, String slug) {
        return String.valueOf(flows.db()
                .fetchValue(
                        "select concat_ws(' ', status, attempts_count) from pgflow.step_tasks where flow_slug = ?",
                        slug));
    }

    private static void assertMarkedStopped(TestFlows flows, String slug) {
        assertThat(flows.db()
                        .fetchValue("select stopped_at is not null from pgflow.workers where queue_name = ?", slug))
                .isEqualTo(true);
    }

    @Test
    void finishesWhatItHasInHandAndReturnsFromRun(TestFlows flows, PGSimpleDataSource database) throws Exception {
        try (var program = withATaskInHand(flows, database, "told_once", 120)) {
            program.terminate();
            program.awaitLine("told to end");
            program.say("go");
            program.awaitLine("run has returned");

            assertThat(program.awaitExit(TestFlows.LIMIT)).isEqualTo(128 + 15);
        }
        assertThat(task(flows, "told_once")).isEqualTo("completed 1");
        assertMarkedStopped(flows, "told_once");
    }

    @Test
    void skipsTheGraceWhenToldTwice(TestFlows flows, PGSimpleDataSource database) throws Exception {
        try (var program = withATaskInHand(flows, database, "told_twice", 3600)) {
            program.terminate();
            program.awaitLine("told to end");
            long giveUpAt = System.nanoTime() + TestFlows.LIMIT.toNanos();
            do { // a signal that comes before they are looked for does nothing
                assertThat(System.nanoTime()).isLessThan(giveUpAt);
                program.terminate();
            } while (!program.endsWithin(Duration.ofMillis(200)));
        }
        assertThat(task(flows, "told_twice")).isEqualTo("queued 0");
        assertMarkedStopped(flows, "told_twice");
    }

    /** Nobody but this test can touch these tables meanwhile: whatever is sent there has no answer. */
    private static Connection stall(PGSimpleDataSource database, String tables) throws Exception {
        var connection = database.getConnection();
        connection.setAutoCommit(false);
        try (var statement = connection.createStatement()) {
            statement.execute("set application_name to " + TestFlows.OBSERVER);
            statement.execute("lock table " + tables);
        }
        return connection;
    }

    @Test
    void endsAlthoughTheDatabaseDoesNotAnswer(TestFlows flows, PGSimpleDataSource database) throws Exception {
        try (var program = withATaskInHand(flows, database, "told_in_vain", 1);
                var stalled = stall(database, "pgflow.runs, pgflow.step_tasks, pgflow.workers")) {
            program.say("go");
            program.terminate();
            program.awaitLine("told to end");

            program.awaitExit(AFTER_GRACE);
            stalled.rollback();
        }
    }

    @Test
    void endsWhileItIsStarting(TestFlows flows, PGSimpleDataSource database) throws Exception {
        flows.compile(flow("told_early", new CountDownLatch(0)));
        try (var stalled = stall(database, "pgflow.flows");
                var program = start(database, "told_early", 0)) {
            flows.await("exists (select from pg_locks where not granted and relation = 'pgflow.flows'::regclass)");
            program.terminate();
            program.awaitLine("told to end");

            program.awaitExit(AFTER_GRACE);
            stalled.rollback();
        }
        assertThat(flows.db().fetchValue("select count(*) from pgflow.workers where queue_name = 'told_early'"))
                .isEqualTo(0L);
    }
}
