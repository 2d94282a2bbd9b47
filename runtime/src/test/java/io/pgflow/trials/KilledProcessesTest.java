package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.Flow;
import io.pgflow.TestFlows;
import io.pgflow.Workers;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** Processes are killed at whatever they are doing. */
@ExtendWith(TestFlows.Extension.class)
class KilledProcessesTest {

    private static final int KILLS = 30;
    private static final int SLOTS = 8;
    private static final Duration BEAT = Duration.ofMillis(500);

    /** A process that works until it is killed. */
    static final class Victim {
        public static void main(String[] args) {
            var config = new HikariConfig();
            config.setJdbcUrl(args[0]);
            config.setUsername(args[1]);
            config.setPassword(args[2]);
            config.setMaximumPoolSize(SLOTS);
            try (var pool = new HikariDataSource(config)) {
                Workers.connect(args[0], args[1], args[2])
                        .concurrency(SLOTS)
                        .heartbeatInterval(BEAT)
                        .recoveryInterval(BEAT)
                        .run(flow(pool));
            }
        }
    }

    private static Flow<Integer> flow(DataSource forCalls) {
        var calls = new CallTable(forCalls);
        return SumOfSquares.flow("killed_processes", task -> {
            calls.add(task);
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos()); // the work
        });
    }

    @Test
    @Tag("long")
    void loseNothingAndRepeatOnlyWhatTheyHadInHand(TestFlows flows, PGSimpleDataSource database) {
        CallTable.create(flows.db());
        var flow = flow(flows.pool());
        var survivor = flows.start(
                flows.options().concurrency(1).heartbeatInterval(BEAT).recoveryInterval(BEAT), flow);
        var survivorId = survivorId(flows);
        long seed = System.nanoTime();
        System.out.println("killed at random, seed " + seed);
        var random = new Random(seed);

        int runs = 0;
        var victims = new ArrayDeque<WorkerProcess>();
        try {
            for (int kills = 0; kills < KILLS; kills++) {
                while (victims.size() < 2) { // the next one starts while the other works
                    victims.add(WorkerProcess.start(Victim.class, database, List.of()));
                }
                flows.await("count(*) > " + kills
                        + " from pgflow.workers where queue_name = 'killed_processes' and worker_id <> '" + survivorId
                        + "'");
                survivor.client().startAll(flow, Collections.nCopies(5, 40));
                runs += 5;
                if (kills % 2
                        == 0) { // with tasks in hand; slow machines may start a process later than all work is done
                    flows.await("exists (select from pgflow.step_tasks where status = 'started' and last_worker_id <> '"
                            + survivorId + "')");
                } else { // at whatever it does
                    LockSupport.parkNanos(random.nextLong(Duration.ofMillis(800).toNanos()));
                }
                victims.remove().kill();
            }
        } finally {
            victims.forEach(WorkerProcess::close);
        }
        flows.awaitAllEnded();

        SumOfSquares.assertRight(flows.db(), "killed_processes", runs);
        CallTable.read(flows.db()).assertAgainOnlyIfTaken(flows.db());
        assertThat(flows.db()
                        .fetchSingle("select count(*) from pgflow.step_tasks where requeued_count > 0")
                        .get(0, Integer.class))
                .as("tasks that were taken from the dead")
                .isPositive();
    }

    private static String survivorId(TestFlows flows) {
        return flows.db()
                .fetchSingle("select worker_id from pgflow.workers order by started_at limit 1")
                .get(0, String.class);
    }
}
