package io.pgflow.sql.model;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A value as {@code jsonb} holds it, printed as PostgreSQL prints it. SQL's NULL is Java's. */
sealed interface Json {
    /** Null, a boolean, a number or a string, in JSON. */
    record Scalar(String text) implements Json {
        static final Json NULL = new Scalar("null");

        @Override
        public String toString() {
            return text;
        }
    }

    record Array(List<Json> elements) implements Json {
        static final Json EMPTY = new Array(List.of());

        public Array {
            elements = List.copyOf(elements);
        }

        @Override
        public String toString() {
            return elements.stream().map(Json::toString).collect(Collectors.joining(", ", "[", "]"));
        }
    }

    record Members(Map<String, Json> of) implements Json {
        private static final Comparator<String> SHORTER_FIRST =
                Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());
        static final Json EMPTY = new Members(Map.of());

        public Members {
            var sorted = new TreeMap<String, Json>(SHORTER_FIRST);
            sorted.putAll(of);
            of = sorted;
        }

        @Override
        public String toString() {
            return of.entrySet().stream()
                    .map(member -> '"' + member.getKey() + "\": " + member.getValue())
                    .collect(Collectors.joining(", ", "{", "}"));
        }
    }

    static Json text(String text) {
        return new Scalar('"' + text + '"');
    }

    static Json number(int number) {
        return new Scalar(Integer.toString(number));
    }

    static Json of(boolean truth) {
        return new Scalar(Boolean.toString(truth));
    }

    static Json array(Json... elements) {
        return new Array(List.of(elements));
    }

    static Json object(String key, Json value) {
        return new Members(Map.of(key, value));
    }

    /** What SQL's NULL becomes inside of a JSON document. */
    static Json orNull(@Nullable Json value) {
        return value == null ? Scalar.NULL : value;
    }

    /** What {@code jsonb_typeof} says. */
    static String typeOf(@Nullable Json value) {
        return switch (value) {
            case null -> "null";
            case Array array -> "array";
            case Members members -> "object";
            case Scalar scalar ->
                switch (scalar.text().charAt(0)) {
                    case 'n' -> "null";
                    case 't', 'f' -> "boolean";
                    case '"' -> "string";
                    default -> "number";
                };
        };
    }

    /** {@code this @> part}: partial objects, arrays as sets. (A bare scalar in an array is no case here: conditions are objects.) */
    default boolean contains(Json part) {
        return switch (part) {
            case Scalar scalar -> equals(scalar);
            case Array(var parts) ->
                this instanceof Array(var elements)
                        && parts.stream().allMatch(p -> elements.stream().anyMatch(e -> e.contains(p)));
            case Members(var parts) ->
                this instanceof Members(var members)
                        && parts.entrySet().stream().allMatch(p -> {
                            var member = members.get(p.getKey());
                            return member != null && member.contains(p.getValue());
                        });
        };
    }
}
