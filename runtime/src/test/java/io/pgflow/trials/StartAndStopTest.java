package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.TestFlows;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Workers come and go while there is work, started and closed by many threads at once. */
@ExtendWith(TestFlows.Extension.class)
class StartAndStopTest {

    private static final int THREADS = 4;
    private static final int ROUNDS = 5;

    @Test
    void racedLoseAndRepeatNothing(TestFlows flows) throws Exception {
        var calls = new Calls();
        var flow = SumOfSquares.flow("start_and_stop", calls::add);
        flows.compile(flow);
        flows.client().startAll(flow, Collections.nCopies(20, 50));
        long seed = System.nanoTime();
        System.out.println("started and stopped at random, seed " + seed);

        var failures = new ConcurrentLinkedQueue<Throwable>();
        var threads = new ArrayList<Thread>();
        for (int n = 0; n < THREADS; n++) {
            var random = new Random(seed + n);
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    for (int round = 0; round < ROUNDS; round++) {
                        startAndStop(flows, flow, random);
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join(TestFlows.LIMIT);
            assertThat(thread.isAlive()).isFalse();
        }
        assertThat(failures).isEmpty();
        flows.await("count(*) = " + THREADS * ROUNDS + " from pgflow.workers where stopped_at is not null");
        assertThat(flows.db().fetch("select from pgflow.step_tasks where status = 'started'"))
                .as("tasks that stopped workers have in hand")
                .isEmpty();

        flows.start(flow);
        flows.awaitAllEnded();
        SumOfSquares.assertRight(flows.db(), "start_and_stop", 20);
        calls.assertOnceEach(flows.db());
    }

    /** Two threads close it, at once or a little later. */
    private static void startAndStop(TestFlows flows, Flow<Integer> flow, Random random) throws InterruptedException {
        var worker = flows.options().start(flow);
        var go = new CountDownLatch(1);
        var closing = new ArrayList<Thread>();
        for (int n = 0; n < 2; n++) {
            closing.add(Thread.ofPlatform().start(() -> {
                try {
                    go.await();
                    worker.close();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
        }
        LockSupport.parkNanos(random.nextLong(50_000_000));
        go.countDown();
        for (Thread thread : closing) {
            thread.join();
        }
    }
}
