package io.pgflow.internal;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A line of the log as {@code key=value} pairs, the first of which names what happened:
 * {@code event=task_failed flow=orders error="card \"4711\" refused"}. Whatever is not plain is quoted, and what could end a line, or hide
 * a part of it, is escaped: no text that comes from outside can look like a line or a pair of ours.
 */
final class LogLine {

    /** Characters kept of a value: a log is read by people. */
    static final int LONGEST = 1_000;

    private final StringBuilder text = new StringBuilder("event=");

    private LogLine(String event) {
        text.append(event);
    }

    /** Begins with what happened, in {@code lower_case}. */
    static LogLine of(String event) {
        return new LogLine(event);
    }

    /** Adds a pair; none for null. */
    LogLine with(String key, @Nullable Object value) {
        if (value != null) {
            text.append(' ').append(key).append('=').append(quoted(value.toString()));
        }
        return this;
    }

    /** Adds a time span, in whole milliseconds: the key says so at its end. */
    LogLine with(String key, Duration value) {
        return with(key + "_ms", value.toMillis());
    }

    /** Adds what names a task. */
    LogLine with(Task task) {
        return with("flow", task.flowSlug())
                .with("run", task.runId())
                .with("step", task.stepSlug())
                .with("index", task.taskIndex())
                .with("attempt", task.attempt());
    }

    @Override
    public String toString() {
        return text.toString();
    }

    private static String quoted(String value) {
        String printable = printable(value);
        boolean plain = !value.isEmpty() && value.codePoints().allMatch(LogLine::isPlain);
        return plain ? printable : '"' + printable.replace("\"", "\\\"") + '"';
    }

    private static boolean isPlain(int c) {
        return c < 128 && (Character.isLetterOrDigit(c) || "-_.:/+@?&,[]#%".indexOf(c) >= 0);
    }

    /** The text cut to {@link #LONGEST}, on one line: control, format and broken characters, and backslashes, are escaped as in Java. */
    static String printable(String value) {
        String cut = ErrorText.cut(value, LONGEST);
        var result = new StringBuilder(cut.length() + 8);
        cut.codePoints().forEach(c -> {
            switch (c) {
                case '\\' -> result.append("\\\\");
                case '\n' -> result.append("\\n");
                case '\r' -> result.append("\\r");
                case '\t' -> result.append("\\t");
                default -> {
                    if (isPrintable(c)) {
                        result.appendCodePoint(c);
                    } else {
                        for (char part : Character.toChars(c)) {
                            result.append("\\u%04x".formatted((int) part));
                        }
                    }
                }
            }
        });
        return result.toString();
    }

    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
