package io.pgflow.examples.quickstart;

import io.pgflow.examples.quickstart.IndexDocuments.Corpus;
import io.pgflow.examples.quickstart.IndexDocuments.Document;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Finds the text files of a folder. Left out are links, hidden files and folders, what tools make, and what is no UTF-8. */
final class TextFiles {

    /** Sources, documents and settings, by their usual endings, in the folder and below. */
    static final String PATTERN =
            "{,**/}*.{adoc,bat,c,cc,cfg,conf,cpp,cs,css,csv,go,gradle,h,hpp,ini,java,js,json,kt,kts,lua,md,org,"
                    + "php,pl,properties,proto,py,r,rb,rs,rst,scala,sh,sql,swift,tex,toml,ts,tsx,txt,xml,yaml,yml}";

    private static final Set<String> MADE_BY_TOOLS = Set.of("build", "node_modules", "target");
    private static final int SNIFFED = 8192;

    private TextFiles() {}

    /**
     * All of them, sorted by path.
     *
     * @throws IOException if the folder itself cannot be read; folders below that cannot are passed over
     */
    static List<Document> list(Corpus corpus) throws IOException {
        var paths = new ArrayList<String>();
        walk(Path.of(corpus.directory()), corpus.pattern(), paths::add);
        return paths.stream()
                .sorted()
                .map(path -> new Document(corpus.directory(), path))
                .toList();
    }

    /**
     * Whether there is one.
     *
     * @throws IOException if the folder itself cannot be read
     */
    static boolean any(Corpus corpus) throws IOException {
        var found = new ArrayList<String>();
        walk(Path.of(corpus.directory()), corpus.pattern(), path -> !found.add(path));
        return !found.isEmpty();
    }

    /** Calls {@code goOn} with the path of each file from the folder, until it returns false. */
    private static void walk(Path folder, String pattern, Predicate<String> goOn) throws IOException {
        PathMatcher matcher = folder.getFileSystem().getPathMatcher("glob:" + pattern);
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
                return dir.equals(folder) || isOfInterest(dir)
                        ? FileVisitResult.CONTINUE
                        : FileVisitResult.SKIP_SUBTREE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Path path = folder.relativize(file);
                boolean found = attributes.isRegularFile() && !isHidden(file) && matcher.matches(path) && isText(file);
                return !found || goOn.test(path.toString()) ? FileVisitResult.CONTINUE : FileVisitResult.TERMINATE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (file.equals(folder)) {
                    throw e;
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static boolean isOfInterest(Path folder) {
        return !isHidden(folder) && !MADE_BY_TOOLS.contains(folder.getFileName().toString());
    }

    private static boolean isHidden(Path path) {
        return path.getFileName().toString().startsWith(".");
    }

    /** Whether the beginning of a file is text. What cannot be read now is left to the one who reads it to the end. */
    private static boolean isText(Path file) {
        byte[] head;
        try (var in = Files.newInputStream(file)) {
            head = in.readNBytes(SNIFFED);
        } catch (IOException e) {
            return true;
        }
        for (byte b : head) {
            if (b == 0) {
                return false;
            }
        }
        boolean whole = head.length < SNIFFED; // else the last character may be cut
        return !StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(head), CharBuffer.allocate(SNIFFED), whole)
                .isError();
    }
}
