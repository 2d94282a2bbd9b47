package io.pgflow.internal;

import io.pgflow.PgflowException;
import io.pgflow.WorkerOptions.SignalStrategy;
import java.time.Duration;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has queues announce their messages. */
final class Announcements {

    private static final Logger log = LoggerFactory.getLogger(Announcements.class);

    private Announcements() {}

    /**
     * Has a flow's queue announce, unless its worker shall poll.
     *
     * @return the least time between two announcements, as it is in the database; null if there are none
     * @throws PgflowException.InvalidOption if there shall be some and cannot
     */
    static @Nullable Duration throttle(String flow, Queries queries, WorkerSettings settings) {
        var strategy = settings.signalStrategy();
        if (strategy.filter(SignalStrategy.POLLING::equals).isPresent()) {
            return null;
        }
        String hindrance;
        try {
            if (queries.enableNotifications(flow, settings.notifyThrottle())) {
                return queries.throttle(flow);
            }
            hindrance = "pgmq there is older than 1.8";
        } catch (DataAccessException e) {
            if (!e.sqlState().equals("42501")) {
                throw e;
            }
            hindrance = SqlErrors.describe(e) + ": the queue's owner can run select pgflow.enable_notifications('"
                    + flow + "', " + settings.notifyThrottle().toMillis() + ")";
        }
        if (strategy.isPresent()) {
            throw new PgflowException.InvalidOption(
                    Options.SIGNAL_STRATEGY.toString(),
                    "notify",
                    "polling, since the queue of flow '%s' cannot announce: %s".formatted(flow, hindrance));
        }
        log.warn(
                "{}",
                LogLine.of("not_announced")
                        .with("flow", flow)
                        .with("reason", hindrance)
                        .with("next", "its worker polls"));
        return null;
    }
}
