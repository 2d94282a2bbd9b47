package io.pgflow.pinned;

/** Holds on to what it runs on. */
public final class Holder {
    private static final Object LOCK = new Object();

    private Holder() {}

    /** Waits in a way that pins a virtual thread, up to Java 23. */
    public static void hold(long milliseconds) {
        synchronized (LOCK) {
            try {
                Thread.sleep(milliseconds);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
