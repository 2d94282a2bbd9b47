package io.pgflow.benchmark.contenders;

import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.Server;

/** A system that does work which is kept in PostgreSQL. */
public interface Contender {

    /** What it is called, for the columns of tables. */
    String title();

    /** Its version and settings, and where its documentation recommends them. */
    String settings();

    /** Whether it has such work. */
    boolean does(Work work);

    /** Which part of the tasks it gets, so that its measurement takes some seconds too. */
    double share();

    /** Makes a database of its own ready. Nobody is at work in it before {@link Trial#work}. */
    Trial open(Server server, Load load) throws Exception;

    /** One measurement of a contender. Closing it stops whoever works and drops the database. */
    interface Trial extends AutoCloseable {

        /** The database of its own. */
        Database database();

        /** Starts one run as a client does that has only one. */
        void startOne() throws Exception;

        /** Starts all runs of the load, the fastest way there is. */
        void startAll() throws Exception;

        /** Does all that was started, and returns how many seconds that took, from the first handler on until all is recorded. */
        double work() throws Exception;

        @Override
        void close();
    }
}
