package io.pgflow.internal;

import static io.pgflow.sql.jooq.pgflow.Tables.RUNS;
import static io.pgflow.sql.jooq.pgflow.Tables.START_FLOW;
import static java.util.Objects.requireNonNull;
import static org.jooq.impl.DSL.any;

import io.pgflow.PgflowException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.JSONB;
import org.jooq.Record2;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;

/** The same statements where the schema is pgflow's own, without PgFlow's additions: a call for each run, and no run's end is announced. */
final class ContractClientQueries extends ClientQueries {

    /** How often others may start one of the runs between the look for it and its start. */
    private static final int RACES = 3;

    private final boolean ownTransactions;

    ContractClientQueries(DataSource dataSource) {
        super(dataSource);
        ownTransactions = true;
    }

    private ContractClientQueries(DSLContext transaction) {
        super(transaction);
        ownTransactions = false;
    }

    @Override
    ClientQueries in(DSLContext transaction) {
        return new ContractClientQueries(transaction);
    }

    /** Starts runs, all or none, by {@code pgflow.start_flow}. */
    @Override
    public List<Start> start(String flow, List<String> inputs, List<? extends @Nullable UUID> ids) {
        for (int race = 1; ; race++) {
            try {
                return call(db -> ownTransactions
                        ? db.transactionResult(tx -> start(tx.dsl(), flow, inputs, ids))
                        : start(db, flow, inputs, ids));
            } catch (DataAccessException e) {
                boolean startedMeanwhile = e.sqlState().equals("23505");
                if (!ownTransactions || !startedMeanwhile || race == RACES) {
                    throw refused(flow, e);
                }
            }
        }
    }

    private static List<Start> start(
            DSLContext db, String flow, List<String> inputs, List<? extends @Nullable UUID> ids) {
        Map<UUID, String> there = db.select(RUNS.RUN_ID, RUNS.FLOW_SLUG)
                .from(RUNS)
                .where(RUNS.RUN_ID.eq(any(ids.stream().filter(Objects::nonNull).toArray(UUID[]::new))))
                .fetchMap(Record2::value1, Record2::value2);
        there.forEach((id, of) -> {
            if (!of.equals(flow)) {
                throw new PgflowException.RunOfAnotherFlow(id, flow, of, null);
            }
        });
        var starts = new ArrayList<Start>();
        for (int i = 0; i < inputs.size(); i++) {
            UUID id = ids.get(i);
            if (id != null && there.containsKey(id)) {
                starts.add(new Start(id, false));
            } else {
                var t = START_FLOW(flow, JSONB.valueOf(inputs.get(i)), id);
                UUID started =
                        requireNonNull(db.select(t.RUN_ID).from(t).fetchSingle().value1());
                there.put(started, flow);
                starts.add(new Start(started, true));
            }
        }
        return starts;
    }

    @Override
    Map<UUID, Boolean> await(Collection<UUID> runs) {
        return callAtOnce(db -> db.select(RUNS.RUN_ID)
                .from(RUNS)
                .where(RUNS.RUN_ID.eq(any(runs.toArray(UUID[]::new))), RUNS.STATUS.eq("started"))
                .fetchMap(RUNS.RUN_ID, row -> false));
    }
}
