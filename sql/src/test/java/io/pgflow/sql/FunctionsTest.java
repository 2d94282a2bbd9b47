package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The functions of schema pgflow as a whole. */
@ExtendWith(CoreDatabase.class)
class FunctionsTest {

    private static final String FUNCTIONS = "from pg_proc where pronamespace = 'pgflow'::regnamespace";

    @Test
    void areThoseThatTheRuntimeAdds(Flows db) {
        assertThat(db.lines("select proname " + FUNCTIONS))
                .contains(
                        "start_flows",
                        "await_runs",
                        "claim_tasks",
                        "complete_tasks",
                        "fail_tasks",
                        "release_lost_tasks",
                        "release_tasks",
                        "recover_tasks",
                        "register_worker",
                        "heartbeat",
                        "next_message_delay",
                        "enable_notifications",
                        "refresh_environment");
    }

    /**
     * With {@code pg_temp} at the end: where a path does not name it, types are looked for there first, and a caller's own type "uuid" would run its
     * checks with the owner's rights. The one function that table V001 brings names no type.
     */
    @Test
    void allHaveAFixedSearchPath(Flows db) {
        assertThat(db.lines("select proname " + FUNCTIONS
                        + " and not coalesce(proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']"))
                .as("give it: set search_path to pg_catalog, pg_temp")
                .containsExactly("is_valid_slug");
    }
}
