package io.pgflow.sql;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The SQL files of this release, by the index that the build writes (a jar's own folders cannot be listed reliably). */
record SqlFiles(Version release, SqlFile pgmq, List<SqlFile> tables, List<SqlFile> functions) {
    /** A file, by its path below this package, and the SHA-256 of its bytes in hexadecimal. */
    record SqlFile(String name, String checksum) {
        static boolean isTable(String name) {
            return name.startsWith("tables/");
        }
    }

    /** The tables are in the order of their numbers, which is that of their names. */
    static SqlFiles ofThisRelease() {
        var lines = text("index").lines().toList();
        var files = lines.stream()
                .skip(1)
                .map(line -> line.split(" ", 2))
                .map(part -> new SqlFile(part[1], part[0]))
                .toList();
        return new SqlFiles(
                Version.parse(lines.getFirst()),
                files.getFirst(),
                files.stream().filter(file -> SqlFile.isTable(file.name())).toList(),
                files.stream()
                        .filter(file -> file.name().startsWith("functions/"))
                        .toList());
    }

    static String text(String name) {
        try (var in = SqlFiles.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(
                        "resource " + name + " of pgflow-sql is missing: its jar is incomplete");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read resource " + name + " of pgflow-sql", e);
        }
    }
}
