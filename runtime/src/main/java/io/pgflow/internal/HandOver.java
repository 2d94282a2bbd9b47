package io.pgflow.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;

/**
 * Records results, and asks for what follows from them: where a step that others wait for has a result and a slot is free, the task that becomes ready
 * begins in that slot, without a way through the queue. For the thread that records.
 */
final class HandOver {

    /** With more results at once nothing is handed over: then it is faster that another connection claims many tasks at once meanwhile. */
    private static final int MOST = 32;

    private final Queries queries;
    private final Function<String, @Nullable PollLoop> workers;

    /**
     * Records by these queries.
     *
     * @param workers the worker of a flow of this process
     */
    HandOver(Queries queries, Function<String, @Nullable PollLoop> workers) {
        this.queries = queries;
        this.workers = workers;
    }

    /**
     * Records results as {@link Queries#complete}. For each task that comes back, a slot of its worker stays reserved until {@link PollLoop#handOver}.
     *
     * @throws DataAccessException if no answer came; the workers then look for what they may have been given
     */
    List<Report> complete(List<Outcome.Completed> completed) {
        var takers = new ArrayList<@Nullable PollLoop>(completed.size());
        @Nullable UUID[] ids = new UUID[completed.size()];
        boolean few = completed.size() <= MOST;
        List<Report> reports = List.of();
        try {
            for (Outcome.Completed outcome : completed) {
                PollLoop worker = workers.apply(outcome.task().flowSlug());
                if (few && worker != null && worker.reserve(outcome.task().stepSlug())) {
                    ids[takers.size()] = worker.workerId();
                    takers.add(worker);
                } else {
                    takers.add(null);
                }
            }
            boolean nobody = takers.stream().allMatch(Objects::isNull);
            reports = queries.complete(completed, nobody ? null : ids);
            return reports;
        } catch (DataAccessException e) {
            if (!SqlErrors.refusesData(e)) {
                takers.stream().distinct().forEach(worker -> {
                    if (worker != null) {
                        worker.mayHaveLost();
                    }
                });
            }
            throw e;
        } finally {
            for (int i = 0; i < takers.size(); i++) {
                PollLoop worker = takers.get(i);
                if (worker != null && (reports.isEmpty() || reports.get(i).next() == null)) {
                    worker.unreserve();
                }
            }
        }
    }
}
