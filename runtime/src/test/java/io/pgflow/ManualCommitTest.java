package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.testing.EmptyDatabase;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** Programs whose pool gives connections that commit nothing by themselves, as some frameworks set theirs. */
@ExtendWith(TestFlows.Extension.class)
class ManualCommitTest {

    /** Such a pool, which remembers in which mode each connection came back. */
    private static final class ManualCommit extends PGSimpleDataSource {
        private static final long serialVersionUID = 1L;

        private final transient Queue<Boolean> cameBack = new ConcurrentLinkedQueue<>();

        ManualCommit(PGSimpleDataSource database) {
            setUrl(database.getURL());
            setUser(database.getUser());
            setPassword(database.getPassword());
        }

        @Override
        public Connection getConnection() throws SQLException {
            Connection connection = super.getConnection();
            connection.setAutoCommit(false);
            return (Connection) Proxy.newProxyInstance(
                    getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("close") && !connection.isClosed()) {
                            cameBack.add(connection.getAutoCommit());
                            connection.rollback();
                        }
                        try {
                            return method.invoke(connection, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }

    private static Flow<Integer> flow() {
        var flow = Flow.of("manual_commit", Integer.class);
        flow.step("next", Integer.class, n -> n + 1);
        return flow.build();
    }

    @Test
    void losesNothing(@EmptyDatabase PGSimpleDataSource database) throws Exception {
        var pool = new ManualCommit(database);
        var flow = flow();
        try (var workers = Workers.connect(pool).grace(Duration.ofSeconds(10)).start(flow);
                var client = Client.connect(pool)) {
            var one = client.start(flow, 1);
            var two = client.startAll(flow, List.of(2)).getFirst();
            var three = workers.client().start(flow, 3);

            assertThat(client.await(one, TestFlows.LIMIT).output()).hasValue("{\"next\": 2}");
            assertThat(client.await(two, TestFlows.LIMIT).output()).hasValue("{\"next\": 3}");
            assertThat(client.await(three, TestFlows.LIMIT).output()).hasValue("{\"next\": 4}");
        }
        assertThat(pool.cameBack).isNotEmpty().containsOnly(false);
    }

    @Test
    void leavesACallersTransactionToTheCaller(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow();
        flows.compile(flow);
        var pool = new ManualCommit(database);
        try (var client = Client.connect(pool);
                var connection = pool.getConnection()) {
            client.in(connection).start(flow, 1);
            assertThat(flows.queued(flow)).isZero();
            connection.rollback();
            client.in(connection).start(flow, 2);
            connection.commit();
            assertThat(flows.queued(flow)).isEqualTo(1);
        }
    }
}
