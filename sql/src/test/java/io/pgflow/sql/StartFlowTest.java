package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.SqlSession.Refusal;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CoreDatabase.class)
class StartFlowTest {

    @Test
    void returnsTheRunAsItIsNow(Flows db) {
        db.define("f", """
                a
                b: a
                """);

        assertThat(db.lines("""
                        select flow_slug, status, input, output, remaining_steps, started_at = now(), completed_at, failed_at
                        from pgflow.start_flow('f', '{"x": 1}')""")).containsExactly("f started {\"x\": 1} - 2 t - -");
    }

    @Test
    void takesTheRunIdItIsGivenAndElseMakesOne(Flows db) {
        db.define("f", "a");
        var id = UUID.randomUUID();

        assertThat(db.line("select run_id from pgflow.start_flow('f', '1', ?)", id))
                .isEqualTo(id.toString());
        assertThat(db.line("select run_id from pgflow.start_flow(flow_slug => 'f', input => '1', run_id => null)"))
                .isNotEqualTo(id.toString());
        assertThat(db.number("select count(*) from pgflow.runs")).isEqualTo(2);
    }

    @Test
    void writesAStateForEachStepAndStartsTheRoots(Flows db) {
        db.define("f", """
                a
                b map: a
                c: a, b
                d
                """);

        var run = db.start("f", "{}");

        assertThat(db.steps(run))
                .containsExactly("a started 0 1 1", "b created 1 - -", "c created 2 1 -", "d started 0 1 1");
        assertThat(db.lines(
                        "select step_slug from pgflow.step_states where run_id = ? and created_at = (select started_at from pgflow.runs where run_id = step_states.run_id) and (status = 'created') = (started_at is null)",
                        run))
                .hasSize(4);
        assertThat(db.tasks(run)).containsExactly("a[0] queued 0 - -", "d[0] queued 0 - -");
    }

    @Test
    void sendsAMessageWithExactlyFourKeysForEachTask(Flows db) {
        db.define("f", "m map");

        var run = db.start("f", "[7, 8]");

        assertThat(db.lines("select msg_id, message, headers, read_ct from pgmq.q_f order by 1"))
                .containsExactly(
                        "1 {\"run_id\": \"%s\", \"flow_slug\": \"f\", \"step_slug\": \"m\", \"task_index\": 0} - 0"
                                .formatted(run),
                        "2 {\"run_id\": \"%s\", \"flow_slug\": \"f\", \"step_slug\": \"m\", \"task_index\": 1} - 0"
                                .formatted(run));
        assertThat(db.lines("select task_index, message_id from pgflow.step_tasks order by 1"))
                .containsExactly("0 1", "1 2");
    }

    @Test
    void sendsMessagesInTheOrderOfSlugsAndIndexes(Flows db) {
        db.define("f", """
                zeta
                beta map
                alpha
                """);

        db.start("f", "[1, 2]");

        assertThat(db.queue("f")).containsExactly("alpha[0]", "beta[0]", "beta[1]", "zeta[0]");
    }

    @Test
    void hidesMessagesForTheStartDelayOfTheirStep(Flows db) {
        db.define("f", """
                later | start_delay => 100
                now
                """);

        db.start("f", "{}");

        assertThat(db.hiddenFor("f", 1)).isBetween(95L, 100L);
        assertThat(Flows.names(db.claim("f", 10))).containsExactly("now[0]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "0",
                "false",
                "\"\"",
                "[]",
                "{}",
                "\"x\"",
                "[[1], null]",
                "12345678901234567890.123456789"
            })
    void takesAnyJsonAsInput(String input, Flows db) {
        db.define("f", "a");

        var run = db.start("f", input);

        assertThat(db.line("select input from pgflow.runs where run_id = ?", run))
                .isEqualTo(input);
        assertThat(db.claimOne("f").flowInput()).isEqualTo(input);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"[1, 2, 3] | 3", "[null, null] | 2", "[[1, 2], [], 3, 3] | 4", "[{\"a\": [1, 2]}] | 1"})
    void countsTheElementsOfARootMapAtTheTopLevel(String input, int tasks, Flows db) {
        db.define("f", "m map");

        var run = db.start("f", input);

        assertThat(db.steps(run)).containsExactly("m started 0 %d %d".formatted(tasks, tasks));
        assertThat(db.tasks(run)).hasSize(tasks);
    }

    @Test
    void refusesANullInputOfARootMap(Flows db) {
        db.define("f", """
                a
                m map
                """);

        assertThat(db.refusal("select pgflow.start_flow('f', null)"))
                .isEqualTo(new Refusal("P0001", "Flow f has root map steps but input is NULL"));
    }

    @ParameterizedTest
    @CsvSource({"'\"a\"', string", "1, number", "true, boolean", "{}, object", "null, null"})
    void refusesAnInputOfARootMapThatIsNoArray(String input, String type, Flows db) {
        db.define("f", "m map");

        assertThat(db.refusal("select pgflow.start_flow('f', ?::jsonb)", input))
                .isEqualTo(
                        new Refusal("P0001", "Flow f has root map steps but input is not an array (got " + type + ")"));
        assertThat(db.lines("select run_id from pgflow.runs")).isEmpty();
    }

    @Test
    void acceptsAnyInputWhereTheMapIsNoRoot(Flows db) {
        db.define("f", """
                a
                m map: a
                """);

        assertThat(db.run(db.start("f", "{}"))).isEqualTo("started 2");
    }

    @Test
    void refusesANullInputWithoutARootMapToo(Flows db) {
        db.define("f", "a");

        var refusal = db.refusal("select pgflow.start_flow('f', null)");

        assertThat(refusal.state()).isEqualTo("23502");
        assertThat(refusal.message()).contains("\"input\"").contains("\"runs\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"nobody", "no'body; drop table pgflow.runs", ""})
    void refusesAnUnknownFlow(String flow, Flows db) {
        assertThat(db.refusal("select pgflow.start_flow(?, '{}')", flow))
                .isEqualTo(new Refusal(
                        "23503",
                        "insert or update on table \"runs\" violates foreign key constraint \"runs_flow_slug_fkey\""));
    }

    @Test
    void refusesANullFlow(Flows db) {
        assertThat(db.refusal("select pgflow.start_flow(null, '{}')").state()).isEqualTo("23502");
    }

    @Test
    void refusesARunIdThatIsThere(Flows db) {
        db.define("f", "a");
        var run = db.start("f", "1");

        assertThat(db.refusal("select pgflow.start_flow('f', '1', ?)", run))
                .isEqualTo(new Refusal("23505", "duplicate key value violates unique constraint \"runs_pkey\""));
        assertThat(db.queue("f")).hasSize(1);
    }

    @Test
    void completesAFlowWithoutStepsAtOnce(Flows db) {
        db.define("f", "");

        assertThat(
                        db.line(
                                "select status, output, remaining_steps, completed_at = now() from pgflow.start_flow('f', '1')"))
                .isEqualTo("completed - 0 t");
    }

    @Test
    void startsARunForEachRowOfAQuery(Flows db) {
        db.define("f", "a");

        assertThat(db.lines("""
                        select r.input from generate_series(1, 3) i cross join lateral pgflow.start_flow('f', to_jsonb(i)) r order by 1""")).containsExactly("1", "2", "3");
        assertThat(db.queue("f")).hasSize(3);
    }

    @Test
    void makesRunIdsThatGrowWithTime(Flows db) {
        db.define("f", "a");

        var first = db.start("f", "1");
        db.run("select pg_sleep(0.005)");
        var second = db.start("f", "1");

        assertThat(first.version()).isEqualTo(7);
        assertThat(first.variant()).isEqualTo(2);
        assertThat(db.holds("?::uuid < ?::uuid", first, second)).isTrue();
    }

    @Test
    void isUndoneWithTheCallersTransaction(Flows db) {
        db.define("f", "a");
        db.begin();
        db.start("f", "1");
        db.rollback();

        assertThat(db.lines("select run_id from pgflow.runs")).isEmpty();
        assertThat(db.queue("f")).isEmpty();
    }

    @Test
    void keepsFlowsApartWhoseSlugsNeedQuotes(Flows db) {
        db.define("Select", "table");

        var run = db.start("Select", "1");

        assertThat(Flows.said(db.claim("Select", 1))).containsExactly("table[0] 1");
        assertThat(db.run(run)).isEqualTo("started 1");
    }
}
