package io.pgflow.trials;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.Flow;
import io.pgflow.TestFlows;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Beside workers of other languages, which enter themselves as pgflow's own SQL has it, and may not beat while they work. */
@ExtendWith(TestFlows.Extension.class)
class ForeignWorkerTest {

    private static final Duration BEAT = Duration.ofMillis(100);

    /** Beside one that had promised to beat, and is dead: its task is taken. */
    @Test
    void isLeftAloneHoweverLongItIsSilent(TestFlows flows) {
        var calls = new Calls();
        var builder = Flow.ofList("foreign", Integer.class);
        builder.map("element", String.class, builder.input(), builder.context(), (n, task) -> {
            calls.add(task);
            return "ours";
        });
        var flow = builder.build();
        flows.compile(flow);
        var elixir = enter(flows, null);
        var dead = enter(flows, "10 milliseconds");
        flows.client().start(flow, List.of(0, 1));
        for (UUID worker : List.of(elixir, dead)) {
            flows.db()
                    .fetch(
                            "select pgflow.start_tasks('foreign', array(select msg_id from pgmq.read('foreign', 60, 1)), ?)",
                            worker);
        }
        flows.db().execute("update pgflow.workers set last_heartbeat_at = now() - interval '1 day'");

        flows.start(flows.options().heartbeatInterval(BEAT).recoveryInterval(BEAT), flow);
        flows.await("count(*) = 1 from pgflow.step_tasks where status = 'completed'"); // a sweep was made

        assertThat(flows.db()
                        .fetchSingle("select last_worker_id from pgflow.step_tasks where status = 'started'")
                        .get(0))
                .as("whose task was left")
                .isEqualTo(elixir);
        flows.db().fetch("""
                        select pgflow.complete_task(run_id, step_slug, task_index, '"theirs"')
                        from pgflow.step_tasks where status = 'started'""");
        flows.awaitAllEnded();
        assertThat(flows.db()
                        .fetchSingle("select output::text from pgflow.runs")
                        .get(0, String.class))
                .contains("theirs", "ours");
        assertThat(calls.size()).isEqualTo(1);
    }

    private static UUID enter(TestFlows flows, @Nullable String heartbeatInterval) {
        var worker = UUID.randomUUID();
        flows.db()
                .execute(
                        "insert into pgflow.workers (worker_id, queue_name, function_name, heartbeat_interval) values (?, 'foreign', 'elixir:foreign', ?::interval)",
                        worker,
                        heartbeatInterval);
        return worker;
    }
}
