package io.pgflow.trials;

import io.pgflow.TestFlows;
import java.util.Collections;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The server ends every connection of a worker, in the middle of its work. */
@ExtendWith(TestFlows.Extension.class)
class TerminatedConnectionsTest {

    private static final int RUNS = 50;
    private static final int TASKS = 6_000;
    private static final int ENDS = 5;
    private static final int BETWEEN = 1_000;
    private static final String WORKERS = """
            from pg_stat_activity
            where datname = current_database() and backend_type = 'client backend' and application_name <> '%s'""".formatted(TestFlows.OBSERVER);

    @Test
    void costNoTask(TestFlows flows) {
        var calls = new Calls();
        var allowed = new Semaphore(0);
        var flow = SumOfSquares.flow("terminated", task -> {
            allowed.acquire();
            calls.add(task);
        });
        var worker = flows.start(flows.options().concurrency(50), flow);
        worker.client().startAll(flow, Collections.nCopies(RUNS, TASKS / RUNS - 2));

        for (int end = 0; end < ENDS; end++) {
            allowed.release(
                    BETWEEN); // so that there is always more to record, and the rest waits in the worker's hands
            flows.await("count(*) >= " + (end * BETWEEN + BETWEEN / 2)
                    + " from pgflow.step_tasks where status = 'completed'");
            flows.await("count(*) >= 3 " + WORKERS); // one that claims, one that records, one that listens and beats
            flows.db().fetch("select pg_terminate_backend(pid) " + WORKERS);
        }
        allowed.release(TASKS);
        flows.awaitAllEnded();

        SumOfSquares.assertRight(flows.db(), "terminated", RUNS);
        calls.assertOnceEach(flows.db());
    }
}
