package io.pgflow.internal;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the database answers, as all those see it who ask it in this process: an outage begins when one of them gets no answer, and ends
 * when none is left without. Any thread may call it.
 */
final class Outage {

    private static final Logger log = LoggerFactory.getLogger(Outage.class);

    private final Events events;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Set<String> without = new HashSet<>();
    private volatile boolean lasting;
    private Instant since = Instant.MIN;
    private String what = "";

    Outage(Events events, InstantSource clock) {
        this.events = events;
        this.clock = clock;
    }

    /** Someone, named by what it does, got no answer, but this error. */
    void failed(String who, String error) {
        lock.lock();
        try {
            if (without.add(who) && !lasting) {
                lasting = true;
                since = clock.instant();
                what = who + ": " + error;
                log.warn("{}", LogLine.of("outage_began").with("what", who).with("error", error));
                events.outageBegan(what);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Someone got an answer, or asks no more. */
    void over(String who) {
        if (lasting) {
            lock.lock();
            try {
                if (without.remove(who) && without.isEmpty()) {
                    lasting = false;
                    log.info("{}", LogLine.of("outage_ended").with("lasted", Duration.between(since, clock.instant())));
                    events.outageEnded(what, since);
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
