package io.pgflow.sql;

import io.pgflow.testing.TestDatabases;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives each test class a database with PgFlow's own pgmq, also where the server has the extension, and each test method an unused queue
 * {@code orders} as the only one there, and a {@link PgmqSession} for each parameter of that type. A lifecycle method's parameters are
 * the same sessions.
 */
final class PgmqDatabase implements ParameterResolver {
    /** What installs it. */
    static final String SCRIPT = read(Path.of("src/main/resources/io/pgflow/sql/pgmq/pgmq.sql"));

    private static final Namespace NAMESPACE = Namespace.create(PgmqDatabase.class);

    private record Installed(DataSource database) {}

    private record OneQueue(DataSource database) {}

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == PgmqSession.class;
    }

    @Override
    public PgmqSession resolveParameter(ParameterContext parameter, ExtensionContext test) {
        var database = new TestDatabases().resolveParameter(parameter, test);
        test.getParent()
                .orElseThrow()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent(Installed.class, key -> install(database), Installed.class);
        var ofThisTest = test.getStore(NAMESPACE);
        ofThisTest.getOrComputeIfAbsent(OneQueue.class, key -> oneQueue(database), OneQueue.class);
        return ofThisTest.getOrComputeIfAbsent(parameter.getIndex(), key -> open(database), PgmqSession.class);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Installed install(DataSource database) {
        run(database, "drop extension if exists pgmq cascade; drop schema if exists pgmq cascade;" + SCRIPT);
        return new Installed(database);
    }

    private static OneQueue oneQueue(DataSource database) {
        run(database, "select pgmq.drop_queue(queue_name) from pgmq.list_queues(); select pgmq.create('orders')");
        return new OneQueue(database);
    }

    private static void run(DataSource database, String sql) {
        try (var session = new PgmqSession(database)) {
            session.run(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PgmqSession open(DataSource database) {
        try {
            return new PgmqSession(database);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
