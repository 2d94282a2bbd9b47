package io.pgflow.benchmark.yardstick;

import io.pgflow.Flow;
import io.pgflow.RunningWorkers;
import io.pgflow.Workers;
import io.pgflow.benchmark.contenders.PgFlow;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A worker in a process of its own. It does what it reads: a line with a database's URL has it work there, an empty line has it stop, and each is answered
 * by a line when that is done. It ends with its input, and so with the process that started it.
 */
final class WorkerProcess {
    private WorkerProcess() {}

    /** Works. */
    public static void main(String[] arguments) throws IOException {
        var commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        @Nullable RunningWorkers working = null;
        for (var command = commands.readLine(); command != null; command = commands.readLine()) {
            if (working != null) {
                working.close();
                working = null;
            }
            if (!command.isEmpty()) {
                working = Workers.connect(command, "postgres", "postgres")
                        .concurrency(PgFlow.SLOTS)
                        .start(flow());
            }
            System.out.println("done");
        }
        if (working != null) {
            working.close();
        }
    }

    /** What all worker processes serve: one step that does nothing. */
    static Flow<Integer> flow() {
        var flow = Flow.of("work", Integer.class);
        flow.step("a", Integer.class, n -> n);
        return flow.build();
    }
}
