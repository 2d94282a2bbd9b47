package io.pgflow;

import org.jspecify.annotations.Nullable;

/**
 * What a handler throws when trying again is pointless, as for input that will never be valid: the task fails for good, whatever attempts it has
 * left, and its step's {@link Step#whenExhausted} decides what follows. It counts wherever it is among the causes of what is thrown, so
 * that it may come through code that wraps exceptions. May be extended.
 */
public class PermanentFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * A failure for a reason of the handler's own.
     *
     * @param message what is wrong; stored with the task
     */
    public PermanentFailure(String message) {
        super(message);
    }

    /**
     * A failure because of another.
     *
     * @param message what is wrong; stored with the task
     * @param cause what was thrown; its class and message are stored too
     */
    public PermanentFailure(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
