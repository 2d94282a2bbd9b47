package io.pgflow.testing;

import io.pgflow.testing.TestServer.TestDatabase;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Gives tests their databases: {@code @ExtendWith(TestDatabases.class)}, and a parameter of type {@link DataSource} or
 * {@link PGSimpleDataSource} (which tells its URL) of a constructor, a test or a lifecycle method.
 *
 * <p>Each test class has a database of its own, copied from one that {@code Schema} has migrated and dropped after the class; with
 * {@link EmptyDatabase}, the test method gets a new and empty one. The environment variable {@code PGFLOW_TEST_DATABASE} says on which server:
 *
 * <ul>
 *   <li>{@code embedded}, the default: one that this JVM starts, and needs nothing installed; {@code embedded:15} (or 16, 17): of that major
 *       version, by a profile of the build;
 *   <li>{@code testcontainers} or {@code testcontainers:IMAGE}: a container, by default of the official image postgres:18;
 *   <li>{@code jdbc:postgresql://HOST/DATABASE?user=USER&password=PASSWORD}: a running one, whose user may create databases.
 * </ul>
 */
public final class TestDatabases implements ParameterResolver {
    private static final Namespace NAMESPACE = Namespace.create(TestDatabases.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        var type = parameter.getParameter().getType();
        return type == DataSource.class || type == PGSimpleDataSource.class;
    }

    @Override
    public PGSimpleDataSource resolveParameter(ParameterContext parameter, ExtensionContext context) {
        var server = context.getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent(TestServer.class, key -> TestServer.start(), TestServer.class);
        var empty = parameter.isAnnotated(EmptyDatabase.class);
        return (empty ? context : ofTopmostClass(context))
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent("empty: " + empty, key -> server.create(empty), TestDatabase.class)
                .dataSource();
    }

    private static ExtensionContext ofTopmostClass(ExtensionContext context) {
        var top = context;
        for (var up = context.getParent();
                up.isPresent() && !up.get().equals(context.getRoot());
                up = top.getParent()) {
            top = up.get();
        }
        return top;
    }
}
