package io.pgflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** How long the database may be silent before a client gives a statement up: where the network is cut without a word, nothing else ends it. */
@ExtendWith(TestFlows.Extension.class)
class ClientSilenceTest {

    private static final int MINUTE = 60_000;

    /** A pool whose connections have a limit of their own, 0 for none; it remembers the limit under which each statement was sent. */
    private static final class Pool extends PGSimpleDataSource {
        private static final long serialVersionUID = 1L;

        private final int limit;
        private final transient Queue<Integer> limits = new ConcurrentLinkedQueue<>();
        private final transient Queue<Integer> cameBack = new ConcurrentLinkedQueue<>();

        Pool(PGSimpleDataSource database, int limit) {
            setUrl(database.getURL());
            setUser(database.getUser());
            setPassword(database.getPassword());
            this.limit = limit;
        }

        @Override
        public Connection getConnection() throws SQLException {
            Connection connection = super.getConnection();
            connection.setNetworkTimeout(Runnable::run, limit);
            return (Connection) Proxy.newProxyInstance(
                    getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                        switch (method.getName()) {
                            case "prepareStatement" -> limits.add(connection.getNetworkTimeout());
                            case "close" -> cameBack.add(connection.getNetworkTimeout());
                            default -> {}
                        }
                        try {
                            return method.invoke(connection, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }

    private static Flow<Integer> flow(TestFlows flows) {
        var builder = Flow.of("silence", Integer.class);
        builder.step("next", Integer.class, n -> n + 1);
        var flow = builder.build();
        flows.compile(flow);
        return flow;
    }

    @Test
    void isAMinuteWhateverIsAsked(TestFlows flows, PGSimpleDataSource database) {
        var flow = flow(flows);
        var pool = new Pool(database, 0);
        try (var client = Client.connect(pool)) {
            pool.limits.clear(); // those of the checks
            var run = client.start(flow, 1);
            client.startAll(flow, List.of(1, 2));
            client.read(run);
            client.steps(run);
            client.runs(RunQuery.newest(1));
            client.flows();
            client.unfinished(flow, 1);
            assertThat(pool.limits).hasSize(7).containsOnly(MINUTE);

            assertThatThrownBy(() -> client.await(run, Duration.ofMillis(1)))
                    .isInstanceOf(PgflowException.RunUnfinished.class);
        }
        assertThat(pool.limits).hasSizeGreaterThan(7).containsOnly(MINUTE);
        assertThat(pool.cameBack).isNotEmpty().containsOnly(0);
    }

    @Test
    void isThePoolsOwnWhereItHasOne(TestFlows flows, PGSimpleDataSource database) {
        var flow = flow(flows);
        var pool = new Pool(database, 12_345);
        try (var client = Client.connect(pool)) {
            client.read(client.start(flow, 1));
        }
        assertThat(pool.limits).isNotEmpty().containsOnly(12_345);
        assertThat(pool.cameBack).isNotEmpty().containsOnly(12_345);
    }

    @Test
    void isTheCallersOnTheCallersConnection(TestFlows flows, PGSimpleDataSource database) throws Exception {
        var flow = flow(flows);
        var pool = new Pool(database, 0);
        try (var client = Client.connect(database);
                var connection = pool.getConnection()) {
            client.in(connection).start(flow, 1);
            client.in(DSL.using(connection, SQLDialect.POSTGRES)).start(flow, 2);

            assertThat(pool.limits).hasSize(2).containsOnly(0);
        }
    }
}
