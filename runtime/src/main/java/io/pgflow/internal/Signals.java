package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stops the workers at SIGTERM and SIGINT, which to a JVM are the beginning of its end: it waits for its hooks, and this is one. A second signal skips
 * the grace. Any thread may call it.
 */
public final class Signals {

    private static final Logger log = LoggerFactory.getLogger(Signals.class);

    /** How long a program may take to end after {@code run} has returned because of a signal, at most. */
    private static final Duration LAST_STEPS = Duration.ofSeconds(5);

    /** From the end of the grace until the JVM ends in any case. */
    private static final Duration AFTER_GRACE = Stop.AFTER_GRACE.plusMillis(200);

    private final Stop stop;
    private final @Nullable Thread main;
    private final Thread hook = Thread.ofPlatform().name("pgflow-signal").unstarted(this::run);

    /**
     * Stops from now on.
     *
     * @param main the thread that ends the program once the workers have stopped; null if none does
     * @throws PgflowException.StoppedWhileStarting if the JVM is ending already
     */
    public Signals(Stop stop, @Nullable Thread main) {
        this.stop = stop;
        this.main = main;
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) {
            throw new PgflowException.StoppedWhileStarting();
        }
    }

    private void run() {
        skipGraceAtSecond("TERM");
        skipGraceAtSecond("INT");
        stop.request();
        stop.awaitEnd();
        if (main != null) {
            try {
                Duration left = stop.left(AFTER_GRACE);
                main.join(left.compareTo(LAST_STEPS) < 0 ? left : LAST_STEPS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** By reflection, since javac warns of {@code sun.misc.Signal}, which cannot be suppressed, and there is no other way. */
    private void skipGraceAtSecond(String name) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object skip = Proxy.newProxyInstance(
                    handler.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            log.warn(
                                    "{}",
                                    LogLine.of("second_signal")
                                            .with("signal", name)
                                            .with("next", "the grace is skipped"));
                            stop.skipGrace();
                        }
                        return null;
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), skip);
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            log.debug("{}", LogLine.of("second_signal_not_handled").with("signal", name), e); // a JVM with -Xrs, say
        }
    }

    /** Stops at signals no more. */
    public void ignore() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // a signal was what ended it
        }
    }
}
