package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThatCode;

import io.pgflow.testing.TestDatabases;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

@ExtendWith(TestDatabases.class)
class AutoCommitTest {

    /** Its modes cannot be put back; whoever used it has been told by the statement. */
    @Test
    void givesABrokenConnectionBackWithoutAnotherError(PGSimpleDataSource database) throws SQLException {
        var connections = new AutoCommit(new PGSimpleDataSource() {
            private static final long serialVersionUID = 1L;

            @Override
            public Connection getConnection() throws SQLException {
                Connection connection = database.getConnection();
                connection.setAutoCommit(false);
                return connection;
            }
        });
        Connection connection = connections.acquire();
        connection.abort(Runnable::run);

        assertThatCode(() -> connections.release(connection)).doesNotThrowAnyException();
    }
}
