package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.sql.Connection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DefaultConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** Starting runs: one, many, again, and as part of the caller's transaction. Nobody works on them here, but where it matters. */
@ExtendWith(TestFlows.Extension.class)
class StartTest {

    private static final Flow<String> FLOW = flow("start");

    private Client client;

    private static Flow<String> flow(String slug) {
        var flow = Flow.of(slug, String.class);
        flow.step("only", String.class, s -> s + "!");
        return flow.build();
    }

    @BeforeEach
    void connect(TestFlows flows, PGSimpleDataSource database) {
        flows.compile(FLOW);
        client = Client.connect(database);
    }

    @AfterEach
    void close() {
        client.close();
    }

    private static String input(TestFlows flows, UUID run) {
        return String.valueOf(flows.db().fetchValue("select input #>> '{}' from pgflow.runs where run_id = ?", run));
    }

    private static int runs(TestFlows flows, Flow<?> flow) {
        return flows.db().fetchCount(DSL.table("pgflow.runs"), DSL.condition("flow_slug = ?", flow.slug()));
    }

    @Test
    void givesTheSameRunForTheSameId(TestFlows flows) {
        var id = UUID.randomUUID();

        assertThat(client.start(FLOW, "first", id)).isEqualTo(id);
        assertThat(client.start(FLOW, "second", id)).isEqualTo(id);

        assertThat(input(flows, id)).isEqualTo("first");
    }

    @Test
    void refusesTheIdOfAnotherFlowsRunAndNamesBoth(TestFlows flows) {
        var other = flow("start_other");
        flows.compile(other);
        var id = client.start(FLOW, "x");

        var refused = catchThrowableOfType(PgflowException.RunOfAnotherFlow.class, () -> client.start(other, "y", id));

        assertThat(refused)
                .hasMessage(
                        "run %s cannot be started for flow 'start_other': flow 'start' has a run of that id. Choose another id."
                                .formatted(id));
        assertThat(refused.run()).isEqualTo(id);
        assertThat(refused.flow()).isEqualTo("start_other");
        assertThat(refused.other()).isEqualTo("start");
        assertThatThrownBy(() -> client.startAll(other, Map.of(UUID.randomUUID(), "y", id, "z")))
                .isInstanceOf(PgflowException.RunOfAnotherFlow.class);
        assertThat(runs(flows, other)).isZero();
    }

    @Test
    void refusesAFlowThatIsNotCompiledAndSaysWhatToDo() {
        var unknown = flow("never_compiled");

        var refused = catchThrowableOfType(PgflowException.FlowNotFound.class, () -> client.start(unknown, "x"));

        assertThat(refused.flow()).isEqualTo("never_compiled");
        assertThat(refused).hasMessageContainingAll("'never_compiled'", "start a worker", "toSql()");
        assertThatThrownBy(() -> client.startAll(unknown, List.of("x", "y")))
                .isInstanceOf(PgflowException.FlowNotFound.class);
    }

    @Test
    void startsManyInTheirOrder(TestFlows flows) {
        var runs = client.startAll(FLOW, List.of("a", "b", "c"));

        assertThat(runs).extracting(run -> input(flows, run)).containsExactly("a", "b", "c");
        assertThat(client.startAll(FLOW, List.of())).isEmpty();
    }

    @Test
    void startsManyByTheirIdsAndTellsWhichAreNew(TestFlows flows) {
        var known = client.start(FLOW, "known");
        var inputs = new LinkedHashMap<UUID, String>();
        inputs.put(UUID.randomUUID(), "one");
        inputs.put(known, "again");
        inputs.put(UUID.randomUUID(), "two");

        var fresh = client.startAll(FLOW, inputs);

        assertThat(fresh).extracting(run -> input(flows, run)).containsExactly("one", "two");
        assertThat(input(flows, known)).isEqualTo("known");
        assertThat(client.startAll(FLOW, inputs)).isEmpty();
        assertThat(client.startAll(FLOW, Map.of())).isEmpty();
    }

    @Test
    void startsNoneOfManyWhereOneCannotBeStored(TestFlows flows) {
        int before = runs(flows, FLOW);

        assertThatThrownBy(() -> client.startAll(FLOW, List.of("fine", "nul \0")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("NUL");

        assertThat(runs(flows, FLOW)).isEqualTo(before);
    }

    @Test
    void isPartOfTheCallersTransaction(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("start_in_transaction");
        var workers = flows.start(flow);
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            var starter = client.in(connection);

            var run = starter.start(flow, "x");
            var more = starter.startAll(flow, List.of("y", "z"));

            assertThatThrownBy(() -> client.read(run)).isInstanceOf(PgflowException.RunNotFound.class);
            assertThat(flows.queued(flow)).as("messages that a worker sees").isZero();
            connection.commit();
            assertThat(workers.client().await(run, TestFlows.LIMIT).output()).hasValue("{\"only\": \"x!\"}");
            assertThat(workers.client().await(more.getLast(), TestFlows.LIMIT).output())
                    .hasValue("{\"only\": \"z!\"}");
            assertThat(connection.isClosed()).isFalse();
            assertThat(connection.getAutoCommit()).isFalse();
        }
    }

    @Test
    void isUndoneWithTheCallersTransaction(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("start_rolled_back");
        flows.compile(flow);
        var id = UUID.randomUUID();
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            client.in(connection).start(flow, "x", id);
            client.in(connection).startAll(flow, Map.of(UUID.randomUUID(), "y"));

            connection.rollback();

            assertThat(runs(flows, flow)).isZero();
            assertThat(flows.queued(flow)).isZero();
            assertThat(client.in(connection).start(flow, "once more", id)).isEqualTo(id);
            connection.commit();
        }
        assertThat(input(flows, id)).isEqualTo("once more");
    }

    @Test
    void isPartOfATransactionOfJooqs(TestFlows flows) {
        var flow = flow("start_in_jooq");
        flows.compile(flow);
        flows.db().execute("create table orders (id int primary key, run uuid)");

        var run = flows.db().transactionResult(tx -> {
            var started = client.in(tx.dsl()).start(flow, "order 1");
            tx.dsl().execute("insert into orders values (1, ?)", started);
            return started;
        });
        assertThat(input(flows, run)).isEqualTo("order 1");

        assertThatThrownBy(() -> flows.db().transaction(tx -> {
                    client.in(tx.dsl()).start(flow, "order 1 again");
                    tx.dsl().execute("insert into orders values (1, null)");
                }))
                .hasMessageContaining("orders_pkey");
        assertThat(runs(flows, flow)).isEqualTo(1);
    }

    @Test
    void takesNothingButTheConnectionFromTheCallersContext(TestFlows flows, PGSimpleDataSource database)
            throws Exception {
        try (Connection connection = database.getConnection()) {
            var other = new DefaultConfiguration();
            other.setConnection(connection);
            other.setSQLDialect(SQLDialect.MYSQL);

            var run = client.in(other.dsl()).start(FLOW, "x");

            assertThat(input(flows, run)).isEqualTo("x");
        }
    }

    @Test
    void leavesTheTransactionToItsOwnerAfterAnError(TestFlows flows, PGSimpleDataSource database) throws Exception {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            var savepoint = connection.setSavepoint();
            assertThatThrownBy(() -> client.in(connection).start(flow("never_compiled"), "x"))
                    .isInstanceOf(PgflowException.FlowNotFound.class);

            connection.rollback(savepoint);
            var run = client.in(connection).start(FLOW, "x");
            connection.commit();

            assertThat(input(flows, run)).isEqualTo("x");
        }
    }
}
