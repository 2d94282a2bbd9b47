package io.pgflow;

import java.time.Instant;
import java.util.Optional;

/**
 * Which runs to list, newest first. Immutable: each method gives a narrower query.
 *
 * <p>Runs are read along the index {@code idx_runs_flow_slug}, flow and start, so a page costs the same however many older runs there are.
 * No index knows statuses, since one would slow down every run: where few runs have the status, bound the search by {@link #since}.
 *
 * @param limit how many at most
 * @param flowSlug only runs of this flow
 * @param status only runs that are so far
 * @param since only runs that were started then or later
 * @param olderThan only runs that come behind this one in the list
 */
public record RunQuery(
        int limit,
        Optional<String> flowSlug,
        Optional<RunSummary.Status> status,
        Optional<Instant> since,
        Optional<RunSummary> olderThan) {

    private static final int LARGEST_PAGE = 1_000;

    /** Checks the limit. */
    public RunQuery {
        if (limit < 1 || limit > LARGEST_PAGE) {
            throw new PgflowException.InvalidOption("limit", Integer.toString(limit), "1 to " + LARGEST_PAGE);
        }
    }

    /**
     * The newest runs of all flows.
     *
     * @param limit how many at most, 1 to 1,000
     * @return a query to be narrowed
     * @throws PgflowException.InvalidOption if the limit is out of range
     */
    public static RunQuery newest(int limit) {
        return new RunQuery(limit, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    }

    /**
     * Only runs of this flow.
     *
     * @param flow the flow
     * @return the narrower query
     */
    public RunQuery of(Flow<?> flow) {
        return of(flow.slug());
    }

    /**
     * Only runs of this flow.
     *
     * @param slug the flow's slug
     * @return the narrower query
     */
    public RunQuery of(String slug) {
        return new RunQuery(limit, Optional.of(slug), status, since, olderThan);
    }

    /**
     * Only runs that are so far.
     *
     * @param only how far
     * @return the narrower query
     */
    public RunQuery status(RunSummary.Status only) {
        return new RunQuery(limit, flowSlug, Optional.of(only), since, olderThan);
    }

    /**
     * Only runs that were started then or later.
     *
     * @param time by the database's clock
     * @return the narrower query
     */
    public RunQuery since(Instant time) {
        return new RunQuery(limit, flowSlug, status, Optional.of(time), olderThan);
    }

    /**
     * The next page: only runs that come behind this one.
     *
     * @param last the last run of the page before
     * @return the narrower query
     */
    public RunQuery olderThan(RunSummary last) {
        return new RunQuery(limit, flowSlug, status, since, Optional.of(last));
    }
}
