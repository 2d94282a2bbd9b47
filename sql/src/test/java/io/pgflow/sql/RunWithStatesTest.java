package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code get_run_with_states} and {@code start_flow_with_states}. */
@ExtendWith(CoreDatabase.class)
class RunWithStatesTest {

    @Test
    void hasAllColumnsOfTheRunAndOfItsSteps(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        var run = db.start("f", "{\"x\": 1}");
        db.start("f", "{\"x\": 2}");

        assertThat(db.holds("""
                        g = jsonb_build_object(
                            'run', (select to_jsonb(r) from pgflow.runs r where r.run_id = (g #>> '{run,run_id}')::uuid),
                            'steps', g -> 'steps')
                        from pgflow.get_run_with_states(run_id => ?) g""", run)).isTrue();
        assertThat(db.lines("""
                        select s ->> 'step_slug', s ->> 'status', s = (select to_jsonb(x) from pgflow.step_states x where x.run_id = ? and x.step_slug = s ->> 'step_slug')
                        from jsonb_array_elements(pgflow.get_run_with_states(?) -> 'steps') s order by 1""", run, run)).containsExactly("a started t", "b created t");
    }

    @Test
    void isNullForAnUnknownRunAndHasNoStepsForAFlowWithoutAny(Flows db) {
        db.define("f", "");
        var run = db.start("f", "1");

        assertThat(db.line("select pgflow.get_run_with_states(?)", UUID.randomUUID()))
                .isEqualTo("-");
        assertThat(db.line("select pgflow.get_run_with_states(?) -> 'steps'", run))
                .isEqualTo("[]");
    }

    @Test
    void isReturnedByStartingARun(Flows db) {
        db.define("f", """
                a
                b: a
                """);
        var run = UUID.randomUUID();

        assertThat(db.line("""
                        select g #>> '{run,run_id}', g #>> '{run,status}', g #>> '{run,remaining_steps}',
                          (select string_agg(concat(s ->> 'step_slug', '=', s ->> 'status'), ',' order by s ->> 'step_slug') from jsonb_array_elements(g -> 'steps') s)
                        from pgflow.start_flow_with_states(flow_slug => 'f', input => '{}', run_id => ?) g""", run)).isEqualTo(run + " started 2 a=started,b=created");
        assertThat(db.line("select pgflow.start_flow_with_states('f', '{}') #>> '{run,status}'"))
                .isEqualTo("started");
    }

    @Test
    void refusesWhatStartFlowRefuses(Flows db) {
        db.define("f", "m map");

        assertThat(db.refusal("select pgflow.start_flow_with_states('f', '{}')").message())
                .isEqualTo("Flow f has root map steps but input is not an array (got object)");
    }

    @Test
    void needsNoRightsOnTheTables(Flows db) {
        db.define("f", "a");
        var role = "browser_" + UUID.randomUUID().toString().substring(0, 8);
        db.run("create role " + role);
        try {
            db.run("grant usage on schema pgflow to " + role);
            db.run(
                    "grant execute on function pgflow.start_flow_with_states(text, jsonb, uuid), pgflow.get_run_with_states(uuid) to "
                            + role);
            db.run("set role " + role);
            var run = db.line("select pgflow.start_flow_with_states('f', '{}') #>> '{run,run_id}'");
            assertThat(db.line("select pgflow.get_run_with_states(?::uuid) #>> '{run,status}'", run))
                    .isEqualTo("started");
            assertThat(db.refusal("select * from pgflow.runs").state()).isEqualTo("42501");
            assertThat(db.refusal("select pgflow.start_flow('f', '{}')").state())
                    .isEqualTo("42501");
        } finally {
            db.run("reset role");
            db.run("drop owned by " + role);
            db.run("drop role " + role);
        }
    }
}
