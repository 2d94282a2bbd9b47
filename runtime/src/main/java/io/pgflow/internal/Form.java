package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.util.List;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;

/** In which form the database takes the workers' calls. */
public enum Form {
    /** PgFlow's functions over arrays: many tasks a statement. */
    SETS {
        @Override
        Queries queries(Session session) {
            return new Queries(session);
        }

        @Override
        public ClientQueries clientQueries(DataSource dataSource) {
            return new ClientQueries(dataSource);
        }
    },

    /** Those of pgflow's contract alone, a task a call: the schema was made by pgflow itself. */
    SINGLE_TASKS {
        @Override
        Queries queries(Session session) {
            return new ContractQueries(session);
        }

        @Override
        public ClientQueries clientQueries(DataSource dataSource) {
            return new ContractClientQueries(dataSource);
        }
    };

    /** The part of the contract, as of pgflow 0.13, that workers and clients call. */
    private static final List<String> CONTRACT = List.of(
            "pgflow.create_flow(text, integer, integer, integer)",
            "pgflow.add_step(text, text, text[], integer, integer, integer, integer, text, jsonb, jsonb, text, text)",
            "pgflow._get_flow_shape(text)",
            "pgflow._compare_flow_shapes(jsonb, jsonb)",
            "pgflow.start_flow(text, jsonb, uuid)",
            "pgflow.start_tasks(text, bigint[], uuid)",
            "pgflow.complete_task(uuid, text, integer, jsonb)",
            "pgflow.fail_task(uuid, text, integer, text)",
            "pgflow.set_vt_batch(text, bigint[], integer[])",
            "pgflow.mark_worker_stopped(uuid)");

    /** The worker's statements on a session, in this form. */
    abstract Queries queries(Session session);

    /** The client's statements on a pool, in this form. */
    public abstract ClientQueries clientQueries(DataSource dataSource);

    /**
     * The form for a schema that PgFlow did not make.
     *
     * @throws PgflowException.SchemaMismatch if it lacks functions of the contract, or has them with other parameters
     */
    static Form ofForeign(DataSource dataSource) {
        DSLContext db = Jooq.on(dataSource);
        List<String> missing = CONTRACT.stream()
                .filter(signature -> db.select(present(signature)).fetchSingle().value1() == null)
                .toList();
        if (!missing.isEmpty()) {
            throw new PgflowException.SchemaMismatch(
                    "one made by others, without " + String.join(", ", missing),
                    "the functions of pgflow 0.13 or 0.14",
                    "Upgrade pgflow there, or use a database without a schema pgflow: PgFlow installs its own.");
        }
        return SINGLE_TASKS;
    }

    private static Field<String> present(String signature) {
        return DSL.function("to_regprocedure", SQLDataType.CLOB, DSL.val(signature))
                .cast(SQLDataType.CLOB);
    }
}
