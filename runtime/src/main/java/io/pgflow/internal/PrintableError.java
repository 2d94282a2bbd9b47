package io.pgflow.internal;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Stands for an exception in the log whose text could not be printed as it is: loggers print the messages of exceptions raw, so that one with
 * line breaks could forge lines, and a long one flood the log. Has the same frames, causes and suppressed exceptions.
 */
@SuppressWarnings("serial") // never leaves the process
final class PrintableError extends Throwable {

    private PrintableError(String text, @Nullable Throwable cause) {
        super(text, cause, true, true);
    }

    /** The exception itself, if it and all that it carries say what can be printed, else what stands for it. */
    static Throwable of(Throwable thrown) {
        return isPrintable(thrown, newSet()) ? thrown : copy(thrown, newSet());
    }

    private static boolean isPrintable(Throwable thrown, Set<Throwable> seen) {
        if (!seen.add(thrown)) {
            return true;
        }
        boolean printable = saysWhatCanBePrinted(thrown);
        for (Throwable suppressed : thrown.getSuppressed()) {
            printable &= isPrintable(suppressed, seen);
        }
        Throwable cause = ErrorText.cause(thrown);
        return printable && (cause == null || isPrintable(cause, seen));
    }

    private static boolean saysWhatCanBePrinted(Throwable thrown) {
        try {
            String text = String.valueOf(thrown.toString());
            String message = String.valueOf(thrown.getMessage());
            var unused =
                    List.of(thrown.getStackTrace(), Optional.ofNullable(thrown.getCause())); // loggers ask for them
            return text.equals(LogLine.printable(text)) && message.equals(LogLine.printable(message));
        } catch (RuntimeException | Error e) {
            return false;
        }
    }

    private static PrintableError copy(Throwable thrown, Set<Throwable> seen) {
        seen.add(thrown);
        Throwable cause = ErrorText.cause(thrown);
        var copy = new PrintableError(
                LogLine.printable(ErrorText.say(thrown)),
                cause == null || seen.contains(cause) ? null : copy(cause, seen));
        copy.setStackTrace(trace(thrown));
        for (Throwable suppressed : thrown.getSuppressed()) {
            if (!seen.contains(suppressed)) {
                copy.addSuppressed(copy(suppressed, seen));
            }
        }
        return copy;
    }

    private static StackTraceElement[] trace(Throwable thrown) {
        try {
            return thrown.getStackTrace();
        } catch (RuntimeException | Error e) {
            return new StackTraceElement[0];
        }
    }

    private static Set<Throwable> newSet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }
}
