package io.pgflow.examples.quickstart;

import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Counts lines, words and terms of a text that comes in pieces. A word is what stands between white space. A term begins with
 * a letter and goes on with letters, digits and underscores, so that names in sources are whole; case is ignored, and
 * so is what is shorter than {@value #SHORTEST} or longer than {@value #LONGEST} characters. Used by one thread.
 */
final class TextCounter {
    private static final int SHORTEST = 3;
    private static final int LONGEST = 40;

    private final Map<String, Integer> counts = new HashMap<>();
    private final StringBuilder term = new StringBuilder();
    private long lines;
    private long words;
    private char last = '\n';

    /** The next piece: the first {@code length} characters of a buffer. */
    void add(char[] buffer, int length) {
        for (int i = 0; i < length; i++) {
            char c = buffer[i];
            if (c == '\n') {
                lines++;
            }
            if (Character.isWhitespace(last) && !Character.isWhitespace(c)) {
                words++;
            }
            if (Character.isLetter(c) || (!term.isEmpty() && (Character.isDigit(c) || c == '_'))) {
                if (term.length() <= LONGEST) { // more is too long anyway
                    term.append(Character.toLowerCase(c));
                }
            } else {
                endTerm();
            }
            last = c;
        }
    }

    private void endTerm() {
        if (term.length() >= SHORTEST && term.length() <= LONGEST) {
            counts.merge(term.toString(), 1, Integer::sum);
        }
        term.setLength(0);
    }

    /** How many lines there were; the last one counts even if nothing ends it. */
    long lines() {
        return last == '\n' ? lines : lines + 1;
    }

    long words() {
        return words;
    }

    /** The terms that occurred most often, at most {@code limit}; of equally frequent ones the first by the alphabet. */
    Map<String, Integer> terms(int limit) {
        endTerm();
        var terms = new LinkedHashMap<String, Integer>();
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(limit)
                .forEach(term -> terms.put(term.getKey(), term.getValue()));
        return terms;
    }
}
