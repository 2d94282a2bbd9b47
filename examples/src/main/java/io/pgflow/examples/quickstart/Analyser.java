package io.pgflow.examples.quickstart;

import io.pgflow.examples.quickstart.IndexDocuments.Analysis;
import io.pgflow.examples.quickstart.IndexDocuments.Document;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/** Reads a file once, from beginning to end, in memory that depends on its vocabulary and not on its size. */
final class Analyser {

    /** How many terms of a file are kept. Outputs stay near 1 kB, and few keywords are rarer than that in their file. */
    static final int TERMS = 64;

    private Analyser() {}

    /**
     * What is in a file. One that was deleted since it was listed, or cannot be read, is a fact about the folder and no
     * reason to fail: trying again would not help, and the other files are still wanted.
     *
     * @throws InterruptedException if the worker stops or the task's time is over, which says nothing about the file
     */
    static Analysis analyse(Document document) throws InterruptedException {
        var file = Path.of(document.directory(), document.path());
        var text = new TextCounter();
        MessageDigest sha256 = sha256();
        try (var bytes = new DigestInputStream(Files.newInputStream(file), sha256);
                var chars = new InputStreamReader(bytes, StandardCharsets.UTF_8.newDecoder())) {
            var buffer = new char[8192];
            for (int length = chars.read(buffer); length >= 0; length = chars.read(buffer)) {
                if (Thread.interrupted()) { // reading a file does not notice
                    throw new InterruptedException("while reading " + file);
                }
                text.add(buffer, length);
            }
            return new Analysis(
                    document.path(),
                    true,
                    text.lines(),
                    text.words(),
                    HexFormat.of().formatHex(sha256.digest()),
                    text.terms(TERMS));
        } catch (IOException e) {
            return new Analysis(document.path(), false, 0, 0, "", Map.of());
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}
