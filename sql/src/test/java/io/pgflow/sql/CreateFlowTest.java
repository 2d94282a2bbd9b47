package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.CoreDatabase.Tampering;
import io.pgflow.sql.SqlSession.Refusal;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CoreDatabase.class)
class CreateFlowTest {
    private static final String COLUMNS = "flow_slug, opt_max_attempts, opt_base_delay, opt_timeout";

    @Test
    void returnsTheFlowWithItsOwnDefaults(Flows db) {
        assertThat(db.lines("select " + COLUMNS + ", created_at = now() from pgflow.create_flow('orders')"))
                .containsExactly("orders 3 5 60 t");
        assertThat(db.lines("select " + COLUMNS + " from pgflow.flows")).containsExactly("orders 3 5 60");
    }

    @Test
    void takesOptionsByName(Flows db) {
        assertThat(db.line("select " + COLUMNS
                        + " from pgflow.create_flow('orders', max_attempts => 0, base_delay => 0, timeout => 1)"))
                .isEqualTo("orders 0 0 1");
        assertThat(db.line("select " + COLUMNS + " from pgflow.create_flow('others', timeout => 7)"))
                .isEqualTo("others 3 5 7");
    }

    @Test
    void takesNullOptionsForDefaults(Flows db) {
        assertThat(db.line("select " + COLUMNS + " from pgflow.create_flow('orders', null, null, null)"))
                .isEqualTo("orders 3 5 60");
    }

    @Test
    @Tampering
    void differsFromTheColumnDefaultOfTheBaseDelay(Flows db) {
        assertThat(db.line("insert into pgflow.flows (flow_slug) values ('plain') returning " + COLUMNS))
                .isEqualTo("plain 3 1 60");
    }

    @Test
    void createsTheQueueOfThatName(Flows db) {
        db.run("select pgflow.create_flow('orders')");

        assertThat(db.lines("select queue_name from pgmq.list_queues()")).containsExactly("orders");
        assertThat(db.queue("orders")).isEmpty();
        assertThat(db.archive("orders")).isEmpty();
    }

    @Test
    @Tampering
    void leavesAFlowThatIsThereAsItIs(Flows db) {
        db.run("select pgflow.create_flow('orders', 1, 2, 3)");
        db.run("select pgmq.send('orders', '{}')");

        assertThat(db.line("select " + COLUMNS + " from pgflow.create_flow('orders', 7, 8, 9)"))
                .isEqualTo("orders 1 2 3");
        assertThat(db.line("select " + COLUMNS + " from pgflow.flows")).isEqualTo("orders 1 2 3");
        assertThat(db.queue("orders")).as("its queue too").hasSize(1);
    }

    @Test
    void createsAMissingQueueOfAFlowThatIsThere(Flows db) {
        db.run("select pgflow.create_flow('orders')");
        db.run("select pgmq.drop_queue('orders')");

        db.run("select pgflow.create_flow('orders')");

        assertThat(db.queue("orders")).isEmpty();
    }

    @Test
    void takesAQueueThatIsThere(Flows db) {
        db.run("select pgmq.create('orders')");

        db.run("select pgflow.create_flow('orders')");

        assertThat(db.lines("select queue_name from pgmq.list_queues()")).containsExactly("orders");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "run", "test-flow", "a b", "1st", "a'; drop table pgflow.runs; --", "a\"b", "a;b", "a$b"})
    void refusesABadSlug(String slug, Flows db) {
        assertThat(db.refusal("select pgflow.create_flow(?)", slug))
                .isEqualTo(new Refusal(
                        "23514", "new row for relation \"flows\" violates check constraint \"slug_is_valid\""));
        assertThat(db.lines("select queue_name from pgmq.list_queues()")).isEmpty();
    }

    @Test
    void refusesASlugOfMoreThan128CharactersLikeAnyOtherBadOne(Flows db) {
        assertThat(db.refusal("select pgflow.create_flow(?)", "a".repeat(129)).message())
                .isEqualTo("new row for relation \"flows\" violates check constraint \"slug_is_valid\"");
    }

    @Test
    void refusesASlugThatIsTooLongForItsQueue(Flows db) {
        assertThat(db.refusal("select pgflow.create_flow(?)", "a".repeat(48)))
                .isEqualTo(new Refusal(
                        "P0001",
                        "Flow slug \"" + "a".repeat(48) + "\" is too long: 48 characters; its queue allows 47"));
        assertThat(db.line("select length(flow_slug) from pgflow.create_flow(?)", "a".repeat(47)))
                .isEqualTo("47");
    }

    @Test
    void refusesANullSlug(Flows db) {
        assertThat(db.refusal("select pgflow.create_flow(null)").state()).isIn("23502", "23514");
    }

    @Test
    void refusesASlugThatDiffersOnlyInCase(Flows db) {
        db.run("select pgflow.create_flow('Orders')");

        assertThat(db.refusal("select pgflow.create_flow('orders')"))
                .isEqualTo(
                        new Refusal(
                                "P0001",
                                "Flow slug \"orders\" differs only in case from an existing flow; both would share one queue table"));
        db.run("select pgflow.create_flow('Orders')");
        assertThat(db.lines("select flow_slug from pgflow.flows")).containsExactly("Orders");
    }

    @Test
    void refusesOptionsBelowTheirLimits(Flows db) {
        assertThat(db.refusal("select pgflow.create_flow('orders', max_attempts => -1)")
                        .message())
                .isEqualTo(
                        "new row for relation \"flows\" violates check constraint \"opt_max_attempts_is_nonnegative\"");
        assertThat(db.refusal("select pgflow.create_flow('orders', base_delay => -1)")
                        .message())
                .isEqualTo(
                        "new row for relation \"flows\" violates check constraint \"opt_base_delay_is_nonnegative\"");
        assertThat(db.refusal("select pgflow.create_flow('orders', timeout => 0)")
                        .message())
                .isEqualTo("new row for relation \"flows\" violates check constraint \"opt_timeout_is_positive\"");
        assertThat(db.lines("select queue_name from pgmq.list_queues()")).isEmpty();
    }

    @Test
    void createsOneFlowWhereSeveralCallAtOnce(Flows a, Flows b, Flows c, Flows d) {
        for (int i = 0; i < 10; i++) {
            var slug = "flow_" + i;
            var calls = Stream.of(a, b, c, d)
                    .map(db -> Background.start(
                            db, session -> session.line("select flow_slug from pgflow.create_flow(?)", slug)))
                    .toList();
            assertThat(calls.stream().map(Background::result))
                    .containsOnly(slug)
                    .hasSize(4);
        }
        assertThat(a.number("select count(*) from pgmq.list_queues()")).isEqualTo(10);
    }
}
