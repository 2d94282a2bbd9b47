package io.pgflow.benchmark;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingStream;

/**
 * Counts how often a virtual thread held on to its carrier for {@value #MILLISECONDS} ms and more while it waited, so that others could not go on. Only those
 * in whose stack there is code of PgFlow: others have virtual threads, too. Each is told on stderr.
 */
final class Pins implements AutoCloseable {
    static final int MILLISECONDS = 20;

    private static final String OURS = "io.pgflow.";
    private static final String BENCHMARK = "io.pgflow.benchmark.";
    private static final String EVENT = "jdk.VirtualThreadPinned";

    private final RecordingStream events = new RecordingStream();
    private final AtomicInteger count = new AtomicInteger();

    private Pins() {}

    /** Counts from now on. */
    static Pins watch() {
        var pins = new Pins();
        pins.events.enable(EVENT).withThreshold(Duration.ofMillis(MILLISECONDS)).withStackTrace();
        pins.events.onEvent(EVENT, pins::see);
        pins.events.startAsync();
        return pins;
    }

    private void see(RecordedEvent event) {
        var stack = event.getStackTrace();
        if (stack != null && stack.getFrames().stream().anyMatch(Pins::isOurs)) {
            count.incrementAndGet();
            System.err.println(event);
        }
    }

    private static boolean isOurs(RecordedFrame frame) {
        var type = frame.getMethod().getType().getName();
        return type.startsWith(OURS) && !type.startsWith(BENCHMARK);
    }

    /** Counts no more, and returns how many there were. */
    int stop() {
        events.stop();
        return count.get();
    }

    @Override
    public void close() {
        events.close();
    }
}
