package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What pgflow's own workers, browser clients and operators send, in their words: named notation, explicit casts, some tables directly. */
@ExtendWith(CoreDatabase.class)
class ClientsTest {
    private static final UUID ID = UUID.fromString("44444444-4444-4444-4444-444444444444");
    private static final String HEARTBEAT =
            "update pgflow.workers set last_heartbeat_at = clock_timestamp() where worker_id = ?::uuid returning (deprecated_at is not null) as deprecated";

    @BeforeEach
    void register(Flows db) {
        db.define("f", "base_delay => 0", """
                a
                b: a
                """);
        db.run("select pgflow.track_worker_function(?)", "program");
        assertThat(db.lines(
                        "insert into pgflow.workers (queue_name, worker_id, function_name) values (?, ?::uuid, ?) returning *",
                        "f",
                        ID,
                        "program"))
                .hasSize(1);
    }

    private static Long[] read(Flows db) {
        return db.rows(
                        row -> row.getLong("msg_id"),
                        "select * from pgmq.read_with_poll(queue_name => ?, vt => ?, qty => ?, max_poll_seconds => ?, poll_interval_ms => ?)",
                        "f",
                        5,
                        10,
                        2,
                        100)
                .toArray(Long[]::new);
    }

    private static String start(Flows db, Long[] messages) {
        return db.line(
                "select step_slug, task_index, input, flow_input from pgflow.start_tasks(flow_slug => ?, msg_ids => ?::bigint[], worker_id => ?::uuid)",
                "f",
                messages,
                ID);
    }

    @Test
    void aWorkerTakesTasksInTwoPhasesAndReportsThemOneByOne(Flows db) {
        var run = db.start("f", "{\"x\": 1}");

        assertThat(start(db, read(db))).isEqualTo("a 0 {} {\"x\": 1}");
        assertThat(db.line("select input from pgflow.runs where run_id = ?", run))
                .isEqualTo("{\"x\": 1}");
        db.run(
                "select pgflow.fail_task(run_id => ?, step_slug => ?, task_index => ?, error_message => ?)",
                run,
                "a",
                0,
                "not yet");
        assertThat(start(db, read(db))).isEqualTo("a 0 {} {\"x\": 1}");
        db.run(
                "select pgflow.complete_task(run_id => ?, step_slug => ?, task_index => ?, output => ?::jsonb)",
                run,
                "a",
                0,
                "{\"y\": 2}");
        assertThat(start(db, read(db))).isEqualTo("b 0 {\"a\": {\"y\": 2}} -");
        db.run(
                "select pgflow.complete_task(run_id => ?, step_slug => ?, task_index => ?, output => ?::jsonb)",
                run,
                "b",
                0,
                "null");

        assertThat(db.run(run) + " " + db.output(run)).isEqualTo("completed 0 {\"b\": null}");
    }

    @Test
    void aWorkerBeatsByAnUpdateAndReadsBackWhetherItIsDeprecated(Flows db) {
        assertThat(db.line(HEARTBEAT, ID)).isEqualTo("f");
        db.run("update pgflow.workers set deprecated_at = now() where worker_id = ?", ID);
        assertThat(db.line(HEARTBEAT, ID)).isEqualTo("t");

        db.run("select pgflow.mark_worker_stopped(?::uuid)", ID);
        assertThat(db.line("select stopped_at is not null from pgflow.workers where worker_id = ?", ID))
                .isEqualTo("t");
    }

    @Test
    void aWorkerCompilesByPositionAndReadsStatusAndDifferences(Flows db) {
        assertThat(db.line(
                        "select result ->> 'status', jsonb_array_length(result -> 'differences') from (select pgflow.ensure_flow_compiled(?, ?::jsonb, ?) as result) x",
                        "f",
                        "{\"steps\": []}",
                        false))
                .isEqualTo("mismatch 3");
    }

    @Test
    void aBrowserChoosesTheRunIdAndReadsTheDefinition(Flows db) {
        var run = UUID.randomUUID();

        assertThat(db.line(
                        "select pgflow.start_flow_with_states(flow_slug => ?, input => ?::jsonb, run_id => ?::uuid) #>> '{run,run_id}'",
                        "f",
                        "{}",
                        run))
                .isEqualTo(run.toString());
        assertThat(db.lines("select * from pgflow.flows where flow_slug = 'f'")).hasSize(1);
        assertThat(db.lines("select step_slug from pgflow.steps where flow_slug = 'f' order by step_index"))
                .containsExactly("a", "b");
    }

    /** An operator who gives a failing step more attempts, or a slow one more time, wants that for the runs under way. */
    @Test
    void anOperatorTunesRunsThatAreUnderWay(Flows db) {
        var run = db.start("f", "1");
        db.run("update pgflow.flows set opt_timeout = 1000, opt_base_delay = 500 where flow_slug = 'f'");
        var messages = read(db);
        start(db, messages);
        assertThat(db.hiddenFor("f", messages[0])).isEqualTo(1002);

        db.run("select pgflow.fail_task(?, 'a', 0, 'no')", run);
        assertThat(db.hiddenFor("f", messages[0])).isEqualTo(1000);

        db.show("f");
        start(db, read(db));
        db.run("update pgflow.steps set opt_max_attempts = 2 where flow_slug = ? and step_slug = ?", "f", "a");
        db.run("select pgflow.fail_task(?, 'a', 0, 'no')", run);
        assertThat(db.run(run)).isEqualTo("failed 2");
    }
}
