package io.pgflow.sql.model;

import java.util.Random;
import java.util.stream.Stream;

/** Something to do. What exactly it is done to depends on the seed, and on what there is. */
record Act(Kind kind, long seed) {

    /** What there is to do, and how often it is done. */
    enum Kind {
        START_FLOWS(4),
        START_FLOW(3),
        CLAIM(14),
        CLAIM_FEW(4),
        POLL(6),
        START_UNREAD(2),
        COMPLETE_TASKS(18),
        COMPLETE_TASK(7),
        FAIL_TASKS(8),
        FAIL_TASK(5),
        RELEASE(4),
        AGE(6),
        REQUEUE(4),
        RECOVER(6),
        SHOW(6),
        STOP_WORKER(2),
        REVIVE_WORKER(2),
        TUNE(2),
        FORCE_SKIP(1),
        NUDGE(2);

        private final int weight;

        Kind(int weight) {
            this.weight = weight;
        }

        static Kind any(Random random) {
            int at = random.nextInt(
                    Stream.of(values()).mapToInt(kind -> kind.weight).sum());
            for (var kind : values()) {
                at -= kind.weight;
                if (at < 0) return kind;
            }
            throw new IllegalStateException();
        }
    }
}
