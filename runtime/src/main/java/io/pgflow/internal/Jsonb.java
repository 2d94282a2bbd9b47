package io.pgflow.internal;

/** What PostgreSQL's {@code jsonb} cannot hold, though a JSON writer may write it. */
final class Jsonb {

    private Jsonb() {}

    /**
     * The same text.
     *
     * @throws IllegalArgumentException if it has a NUL character, half of a surrogate pair, or a number that is none
     */
    static String checked(String json) {
        boolean inString = false;
        boolean high = false; // the character before is the first half of a surrogate pair
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            if (!inString) {
                require(c != 'N' && c != 'I', "NaN or Infinity, which JSON does not know", i);
                inString = c == '"';
                continue;
            }
            if (c == '"') {
                require(!high, "half of a surrogate pair, which is no character", i);
                inString = false;
                continue;
            }
            if (c == '\\') {
                c = json.charAt(++i); // no control character, whatever it is short for
                if (c == 'u') {
                    c = (char) Integer.parseInt(json, i + 1, i + 5, 16);
                    i += 4;
                }
            }
            require(c != 0, "the NUL character, which PostgreSQL cannot store", i);
            require(high == Character.isLowSurrogate(c), "half of a surrogate pair, which is no character", i);
            high = Character.isHighSurrogate(c);
        }
        return json;
    }

    private static void require(boolean holds, String found, int at) {
        if (!holds) {
            throw new IllegalArgumentException("it has %s (at character %d of its JSON)".formatted(found, at));
        }
    }
}
