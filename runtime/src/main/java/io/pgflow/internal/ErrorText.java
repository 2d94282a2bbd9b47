package io.pgflow.internal;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is stored of an exception: class and message, of its causes too. Stack traces go to the log. */
final class ErrorText {

    /** Characters kept; the rest says no more to people, and costs the database. */
    static final int LONGEST = 4_000;

    private ErrorText() {}

    /** One line an exception, the outermost first; cut to {@link #LONGEST}, and without what {@code text} cannot hold. */
    static String of(Throwable thrown) {
        var text = new StringBuilder();
        for (Throwable e : chain(thrown)) {
            if (text.length() < LONGEST) {
                text.append(text.isEmpty() ? "" : "\ncaused by ").append(say(e));
            }
        }
        return storable(text.toString());
    }

    /** The first of a kind among an exception and its causes. */
    static <E extends Throwable> Optional<E> find(Class<E> kind, Throwable thrown) {
        return chain(thrown).stream().filter(kind::isInstance).map(kind::cast).findFirst();
    }

    private static List<Throwable> chain(Throwable thrown) {
        var chain = new ArrayList<Throwable>();
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Throwable e = thrown; e != null && seen.add(e); e = cause(e)) {
            chain.add(e);
        }
        return chain;
    }

    /** What an exception says of itself; its class if that is nothing, or even that goes wrong. */
    static String say(Throwable thrown) {
        String name = thrown.getClass().getName();
        try {
            @Nullable String text = thrown.toString(); // its own, and perhaps null
            return text == null ? name : text;
        } catch (RuntimeException | Error e) {
            return name + ", which cannot say more: " + e.getClass().getName();
        }
    }

    /** The cause of an exception; null if it has none, or cannot say. */
    static @Nullable Throwable cause(Throwable thrown) {
        try {
            return thrown.getCause();
        } catch (RuntimeException | Error e) {
            return null;
        }
    }

    /** No more than so many characters of a text. */
    static String cut(String text, int longest) {
        return text.length() <= longest ? text : text.substring(0, longest - 1) + "…";
    }

    /** The text as PostgreSQL can hold it: no NUL, no half of a character, not too long. */
    static String storable(String text) {
        String cut = cut(text, LONGEST);
        var result = new StringBuilder(cut.length());
        cut.codePoints()
                .map(c -> c == 0 || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) ? '\uFFFD' : c)
                .forEach(result::appendCodePoint);
        return result.toString();
    }
}
