package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.testing.TestDatabases;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

@ExtendWith(TestDatabases.class)
class SessionTest {

    /** A pool with one connection, which resets nothing. */
    private static DataSource poolOf(Connection connection) {
        return new PGSimpleDataSource() {
            private static final long serialVersionUID = 1L;

            @Override
            public Connection getConnection() {
                return (Connection) Proxy.newProxyInstance(
                        getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                            try {
                                return method.getName().equals("close") ? null : method.invoke(connection, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
            }
        };
    }

    @Test
    void givesBackAConnectionThatMayBeSilentForAsLongAsBefore(PGSimpleDataSource database) throws Exception {
        try (var connection = database.getConnection()) {
            connection.setNetworkTimeout(Runnable::run, 12_345);
            try (var session = new Session(poolOf(connection), Duration.ofSeconds(3))) {
                session.run(db -> assertThat(db.connectionResult(Connection::getNetworkTimeout))
                        .isEqualTo(3_000));
            }

            assertThat(connection.getNetworkTimeout()).isEqualTo(12_345);
        }
    }
}
