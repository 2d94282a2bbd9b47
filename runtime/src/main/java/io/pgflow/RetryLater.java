package io.pgflow;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a handler throws when it knows when to try again, as of a service that says when it will be back. The attempt has failed and counts; if
 * there is another, it begins after that time instead of the delay that the step's options give. It counts wherever it is among the causes
 * of what is thrown. May be extended.
 */
public class RetryLater extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Duration after;

    /**
     * A failure for a reason of the handler's own.
     *
     * @param after how long to wait, rounded up to whole seconds; zero or less: not at all
     * @param message what is wrong; stored with the task
     */
    public RetryLater(Duration after, String message) {
        this(after, message, null);
    }

    /**
     * A failure because of another.
     *
     * @param after how long to wait, rounded up to whole seconds; zero or less: not at all
     * @param message what is wrong; stored with the task
     * @param cause what was thrown; its class and message are stored too
     */
    public RetryLater(Duration after, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.after = after;
    }

    /**
     * How long to wait before the next attempt.
     *
     * @return as it was given
     */
    public Duration after() {
        return after;
    }
}
