package io.pgflow.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.pinned.Holder;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

class PinsTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @Test
    @EnabledForJreRange(max = JRE.JAVA_23)
    void countsLongOnesOfOurCode() throws Exception {
        try (var pins = Pins.watch()) {
            inVirtualThread(() -> Holder.hold(2 * Pins.MILLISECONDS));
            inVirtualThread(() -> Holder.hold(2 * Pins.MILLISECONDS));
            inVirtualThread(() -> Others.hold(2 * Pins.MILLISECONDS));

            assertThat(pins.stop()).isEqualTo(2);
        }
    }

    private static void inVirtualThread(Runnable work) throws InterruptedException {
        assertThat(Thread.ofVirtual().start(work).join(LIMIT)).isTrue();
    }

    /** Of the benchmark itself. */
    private static final class Others {
        private static final Object LOCK = new Object();

        static void hold(long milliseconds) {
            synchronized (LOCK) {
                try {
                    Thread.sleep(milliseconds);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
}
