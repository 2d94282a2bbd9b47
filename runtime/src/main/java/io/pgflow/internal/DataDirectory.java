package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data directory of the embedded server, and the password to it. It is whole, or not there: it is made under another name, so that a
 * program which is killed meanwhile leaves only what the next one deletes.
 *
 * @param home the folder that it is in
 */
record DataDirectory(Path home) {
    private static final Logger LOG = LoggerFactory.getLogger(DataDirectory.class);

    /** Of the superuser. */
    static final String USER = "pgflow";

    private static final String UNFINISHED = "initialising-";

    Path path() {
        return home.resolve("data");
    }

    /**
     * Makes it where it is missing.
     *
     * @param output gets what initdb prints
     * @throws PgflowException.EmbeddedUnavailable if initdb fails, or if what is there was made by another major version
     */
    void prepare(PostgresBinaries binaries, Path output) throws IOException {
        deleteUnfinished();
        if (!Files.exists(path())) {
            make(binaries, output);
        }
        var found = Files.readString(path().resolve("PG_VERSION")).strip();
        var ours = binaries.majorVersion();
        if (!found.equals(ours)) {
            throw new PgflowException.EmbeddedUnavailable(
                    "%s was made by PostgreSQL %s, and the programs on the class path are of PostgreSQL %s. Use those of %s, or move the data over by pg_dump and pg_restore, or delete %s, and with it all data."
                            .formatted(path(), found, ours, found, home),
                    null);
        }
    }

    private void make(PostgresBinaries binaries, Path output) throws IOException {
        LOG.info("{}", LogLine.of("postgres_made").with("data", path()));
        Files.writeString(home.resolve(".gitignore"), "*\n"); // a database and its password do not belong there
        var unfinished = Files.createTempDirectory(home, UNFINISHED);
        makePassword();
        Files.deleteIfExists(output);
        binaries.run(
                output,
                "initdb",
                "--pgdata=" + unfinished,
                "--username=" + USER,
                "--auth=scram-sha-256",
                "--pwfile=" + passwordFile(),
                "--encoding=UTF8",
                "--locale=C"); // sorts by code point, the same on every machine and with every C library
        Files.move(unfinished, path());
        try (var folder = FileChannel.open(home)) {
            folder.force(true); // else a power failure could give it the old name back, which is deleted
        }
    }

    /** What initdb left when its program was killed. It may still run, and ends when it misses its files. */
    private void deleteUnfinished() throws IOException {
        try (var folders = Files.newDirectoryStream(home, UNFINISHED + "*")) {
            for (var folder : folders) {
                try {
                    PostgresBinaries.delete(folder);
                } catch (IOException | UncheckedIOException e) {
                    LOG.debug(
                            "{}",
                            LogLine.of("folder_left").with("folder", folder).with("next", "the next start deletes it"),
                            PrintableError.of(e));
                }
            }
        }
    }

    private Path passwordFile() {
        return home.resolve("password");
    }

    private void makePassword() throws IOException {
        var random = new byte[24];
        new SecureRandom().nextBytes(random);
        var ownerOnly = PosixFilePermissions.fromString("rw-------");
        Files.deleteIfExists(passwordFile());
        Files.createFile(passwordFile(), PosixFilePermissions.asFileAttribute(ownerOnly));
        Files.writeString(passwordFile(), Base64.getUrlEncoder().encodeToString(random), StandardOpenOption.SYNC);
    }

    /** @throws PgflowException.EmbeddedUnavailable if it is lost */
    String password() {
        try {
            return Files.readString(passwordFile()).strip();
        } catch (IOException e) {
            throw new PgflowException.EmbeddedUnavailable(
                    "the password to %s cannot be read: %s. Put it back, or delete %s, and with it all data."
                            .formatted(path(), e, home),
                    e);
        }
    }
}
