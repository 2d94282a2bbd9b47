package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code register_worker}, {@code heartbeat}, {@code mark_worker_stopped} and {@code track_worker_function}. */
@ExtendWith(CoreDatabase.class)
class WorkersTest {
    private static final UUID ID = UUID.fromString("33333333-3333-3333-3333-333333333333");
    private static final String SINCE_A_MOMENT =
            " between clock_timestamp() - interval '10 seconds' and clock_timestamp()";

    private static String worker(Flows db, String columns) {
        return db.line("select " + columns + " from pgflow.workers where worker_id = ?", ID);
    }

    private static void register(Flows db) {
        db.run(
                "select pgflow.register_worker(worker_id => ?, queue_name => 'f', function_name => 'program', heartbeat_interval => '5 seconds')",
                ID);
    }

    @Test
    void areRegisteredWithTheirPromise(Flows db) {
        register(db);

        assertThat(worker(
                        db,
                        "queue_name, function_name, heartbeat_interval, deprecated_at, stopped_at, started_at"
                                + SINCE_A_MOMENT + ", last_heartbeat_at" + SINCE_A_MOMENT))
                .isEqualTo("f program 00:00:05 - - t t");
    }

    @Test
    void canBeRegisteredWithoutAPromise(Flows db) {
        db.run("select pgflow.register_worker(?, 'f', 'program')", ID);

        assertThat(worker(db, "heartbeat_interval")).isEqualTo("-");
    }

    @Test
    void canBeRegisteredAgain(Flows db) {
        register(db);
        db.run(
                "update pgflow.workers set started_at = '2020-01-01', last_heartbeat_at = '2020-01-01', heartbeat_interval = '1 hour'");

        register(db);

        assertThat(worker(db, "heartbeat_interval, extract(year from started_at), last_heartbeat_at" + SINCE_A_MOMENT))
                .isEqualTo("00:00:05 2020 t");
    }

    @Test
    void cannotPromiseToBeatWithoutPause(Flows db) {
        assertThat(db.refusal("select pgflow.register_worker(?, 'f', 'program', '0 seconds')", ID)
                        .message())
                .isEqualTo(
                        "new row for relation \"workers\" violates check constraint \"heartbeat_interval_is_positive\"");
    }

    @Test
    void areAliveWithEachHeartbeat(Flows db) {
        register(db);
        db.run("update pgflow.workers set last_heartbeat_at = '2020-01-01'");

        assertThat(db.line("select pgflow.heartbeat(worker_id => ?)", ID)).isEqualTo("running");
        assertThat(worker(db, "last_heartbeat_at" + SINCE_A_MOMENT)).isEqualTo("t");
    }

    @Test
    void learnThatTheyAreDeprecated(Flows db) {
        register(db);
        db.run("update pgflow.workers set deprecated_at = now(), last_heartbeat_at = '2020-01-01'");

        assertThat(db.line("select pgflow.heartbeat(?)", ID)).isEqualTo("deprecated");
        assertThat(worker(db, "last_heartbeat_at" + SINCE_A_MOMENT)).isEqualTo("t");
    }

    @Test
    void learnThatNobodyKnowsThem(Flows db) {
        assertThat(db.line("select pgflow.heartbeat(?)", ID)).isEqualTo("unknown");
        assertThat(db.line("select pgflow.heartbeat(null)")).isEqualTo("unknown");
    }

    @Test
    void areMarkedAsStoppedUntilTheyBeatAgain(Flows db) {
        register(db);
        db.run("select pgflow.mark_worker_stopped(worker_id => ?)", ID);
        assertThat(worker(db, "stopped_at" + SINCE_A_MOMENT)).isEqualTo("t");
        assertThat(db.line("select stopped_at from pgflow.workers where worker_id = ?", Flows.WORKER))
                .as("nobody else")
                .isEqualTo("-");

        db.run("select pgflow.heartbeat(?)", ID);
        assertThat(worker(db, "stopped_at")).isEqualTo("-");
    }

    /** Else recovery would take every task from a worker that goes on with its old id. */
    @Test
    void areNotStoppedOnceTheyRegisterAgain(Flows db) {
        register(db);
        db.run("select pgflow.mark_worker_stopped(?)", ID);

        register(db);

        assertThat(worker(db, "stopped_at")).isEqualTo("-");
    }

    @Test
    void canBeMarkedAsStoppedWhereNobodyKnowsThem(Flows db) {
        db.run("select pgflow.mark_worker_stopped(?)", ID);
        db.run("select pgflow.mark_worker_stopped(null)");

        assertThat(db.lines("select * from pgflow.workers where worker_id = ?", ID))
                .isEmpty();
    }

    @Test
    void haveTheirProgramsTracked(Flows db) {
        db.run("select pgflow.track_worker_function(function_name => 'my-program')");
        assertThat(db.line("select function_name, enabled, debounce, last_invoked_at from pgflow.worker_functions"))
                .isEqualTo("my-program t 00:00:06 -");
        db.run("update pgflow.worker_functions set enabled = false, debounce = '9 seconds', last_invoked_at = now()");

        db.run("select pgflow.track_worker_function('my-program')");

        assertThat(
                        db.lines(
                                "select enabled, debounce, last_invoked_at is not null, updated_at > created_at from pgflow.worker_functions"))
                .containsExactly("f 00:00:09 t t");
    }
}
