package io.pgflow.sql;

import io.pgflow.testing.Endings;
import io.pgflow.testing.Invariants;
import io.pgflow.testing.TestDatabases;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives each test class a database, and each test method a {@link Flows} for each parameter of that type: a connection of its own to
 * the database without any flow, and with one worker, {@link Flows#WORKER}. The connections are kept from test to test, and with them
 * the plans that they have made. A lifecycle method's parameters are the same connections.
 *
 * <p>After each test, {@link Invariants} must hold, unless it is {@link Tampering}.
 */
final class CoreDatabase implements ParameterResolver, AfterTestExecutionCallback {

    /** On a test that leaves rows behind which no sequence of calls leads to. */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @interface Tampering {}

    private static final Namespace NAMESPACE = Namespace.create(CoreDatabase.class);

    /** The connections of a test class. */
    private record Sessions(DataSource database, List<Flows> open) implements AutoCloseable {
        static Sessions of(DataSource database) {
            Endings.keep(database);
            return new Sessions(database, new ArrayList<>());
        }

        Flows get(int index) {
            while (open.size() <= index) open.add(new Flows(database));
            return open.get(index);
        }

        @Override
        public void close() {
            open.forEach(Flows::close);
        }
    }

    private record Emptied() {}

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Flows.class;
    }

    @Override
    public Flows resolveParameter(ParameterContext parameter, ExtensionContext test) {
        var database = new TestDatabases().resolveParameter(parameter, test);
        var sessions = test.getParent()
                .orElseThrow()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent(Sessions.class, key -> Sessions.of(database), Sessions.class);
        test.getStore(NAMESPACE).getOrComputeIfAbsent(Emptied.class, key -> empty(sessions), Emptied.class);
        return sessions.get(parameter.getIndex());
    }

    @Override
    public void afterTestExecution(ExtensionContext test) {
        var sessions = test.getStore(NAMESPACE).get(Sessions.class, Sessions.class);
        if (sessions != null && !test.getRequiredTestMethod().isAnnotationPresent(Tampering.class)) {
            Invariants.check(sessions.database());
        }
    }

    private static Emptied empty(Sessions sessions) {
        sessions.open().forEach(session -> session.run("rollback; unlisten *"));
        sessions.get(0).run("""
                delete from pgflow.step_tasks;
                delete from pgflow.step_states;
                delete from pgflow.runs;
                delete from pgflow.deps;
                delete from pgflow.steps;
                delete from pgflow.flows;
                delete from pgflow.workers;
                delete from pgflow.worker_functions;
                select pgmq.drop_queue(queue_name) from pgmq.list_queues();
                select pgflow.register_worker('%s', 'tests', 'tests')""".formatted(Flows.WORKER));
        return new Emptied();
    }
}
