package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.sql.SchemaException;
import io.pgflow.testing.LoginRole;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** Programs that do not own the schema: they log in as roles that were granted it. */
@ExtendWith(TestFlows.Extension.class)
class RolesTest {

    private static Flow<List<Integer>> flow(String slug) {
        var flow = Flow.ofList(slug, Integer.class);
        var doubled = flow.map("double", Integer.class, flow.input(), n -> 2 * n);
        flow.step(
                "sum",
                Integer.class,
                doubled,
                list -> list.stream().mapToInt(Integer::intValue).sum());
        return flow.build();
    }

    @Test
    void aWorkersRoleCompilesItsFlowAndWorks(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("by_a_worker");
        try (var role = new LoginRole(database)) {
            flows.db().execute("select pgflow.grant_worker(?)", role.name());
            try (var workers = Workers.connect(database.getURL(), role.name(), role.password())
                    .start(flow)) {
                var client = workers.client();
                var run =
                        client.start(flow, IntStream.rangeClosed(1, 100).boxed().toList());

                assertThat(client.await(run, TestFlows.LIMIT).output()).hasValue("{\"sum\": 10100}");
            }
            assertThat(flows.db()
                            .fetchValue(
                                    "select stopped_at is not null from pgflow.workers where queue_name = ?",
                                    flow.slug()))
                    .isEqualTo(true);
        }
    }

    @Test
    void aClientsRoleStartsRunsAndReadsThem(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow("by_a_client");
        try (var role = new LoginRole(database)) {
            flows.db().execute("select pgflow.grant_client(?)", role.name());
            flows.start(flow); // after the grant
            try (var client = Client.connect(role.dataSource())) {
                var run = client.start(flow, List.of(1, 2));
                assertThat(client.await(run, TestFlows.LIMIT).output()).hasValue("{\"sum\": 6}");
                assertThat(client.steps(run)).extracting(StepState::slug).containsExactly("double", "sum");
                assertThat(client.start(flow, List.of(3), run)).isEqualTo(run);
                assertThat(client.unfinished(flow, List.of(1, 2))).isEmpty();
            }
        }
    }

    @Test
    void aClientsRoleIsNotEnoughForAWorker(TestFlows flows, PGSimpleDataSource database) {
        try (var role = new LoginRole(database)) {
            flows.db().execute("select pgflow.grant_client(?)", role.name());

            assertThatThrownBy(() -> Workers.connect(database.getURL(), role.name(), role.password())
                            .start(flow("not_by_a_client")))
                    .isInstanceOf(PgflowException.PermissionMissing.class)
                    .hasMessage(
                            "permission denied for function pgflow.claim_tasks, for user '%1$s'. Have the owner of schema pgflow run: select pgflow.grant_worker('%1$s')",
                            role.name());
        }
    }

    @Test
    void aRoleWithoutAGrantIsToldWhatItLacks(PGSimpleDataSource database) {
        try (var role = new LoginRole(database)) {
            assertThatThrownBy(() -> Workers.connect(database.getURL(), role.name(), role.password())
                            .start(flow("by_nobody")))
                    .isInstanceOf(SchemaException.class)
                    .hasMessageContainingAll(role.name(), "pgflow.grant_worker");
        }
    }
}
