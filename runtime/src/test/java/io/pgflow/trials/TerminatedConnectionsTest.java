package io.pgflow.trials;

import io.pgflow.TestFlows;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The server ends every connection of a worker, in the middle of its work. */
@ExtendWith(TestFlows.Extension.class)
class TerminatedConnectionsTest {

    private static final int RUNS = 50;
    private static final int TASKS = 10_000;
    private static final String WORKERS = """
            from pg_stat_activity
            where datname = current_database() and backend_type = 'client backend' and application_name <> '%s'""".formatted(TestFlows.OBSERVER);

    @Test
    void costNoTask(TestFlows flows) {
        var calls = new Calls();
        var flow = SumOfSquares.flow("terminated", calls::add);
        var worker = flows.start(flows.options().concurrency(50), flow);
        worker.client().startAll(flow, Collections.nCopies(RUNS, TASKS / RUNS - 2));

        for (int done = 500; done <= 4_500; done += 1_000) {
            flows.await("count(*) >= " + done + " from pgflow.step_tasks where status = 'completed'");
            // one that claims, one that records, one that listens and beats; without outcomes none is there to record
            // them
            flows.await("(select count(*) >= 3 " + WORKERS
                    + ") or not exists (select from pgflow.runs where status = 'started')");
            flows.db().fetch("select pg_terminate_backend(pid) " + WORKERS);
        }
        flows.awaitAllEnded();

        SumOfSquares.assertRight(flows.db(), "terminated", RUNS);
        calls.assertOnceEach(flows.db());
    }
}
