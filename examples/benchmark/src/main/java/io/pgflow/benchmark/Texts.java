package io.pgflow.benchmark;

import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Texts that hardly get shorter by compression. */
public final class Texts {
    /** So many that no compression finds the same one again. */
    private static final int DIFFERENT = 1_000;

    private Texts() {}

    /** Some of a length, which have as many bytes in JSON, its quotes included. */
    public static List<String> of(int bytes) {
        var random = new Random(1);
        return Stream.generate(() -> random.ints(bytes - 2, 0, 62)
                        .mapToObj("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"::charAt)
                        .map(String::valueOf)
                        .collect(Collectors.joining()))
                .limit(DIFFERENT)
                .toList();
    }
}
