package io.pgflow.internal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps a second living process, and a second user in this one, out of a directory. The operating system lets go of it when the process
 * dies. Any thread may call it.
 */
final class DirectoryLock implements AutoCloseable {
    /**
     * What this process holds. Such a file must not even be opened a second time: on POSIX systems, closing one channel of a file gives up
     * all locks that the process has on it.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private DirectoryLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Takes the lock, without waiting.
     *
     * @param file its real path; made where it is missing, and filled with our process id
     * @return empty if it is held: see {@link #holder}
     */
    static Optional<DirectoryLock> take(Path file) throws IOException {
        if (!HELD.add(file)) {
            return Optional.empty();
        }
        var taken = false;
        try {
            var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                if (channel.tryLock() != null) {
                    channel.truncate(0);
                    channel.write(StandardCharsets.UTF_8.encode(
                            Long.toString(ProcessHandle.current().pid())));
                    taken = true;
                    return Optional.of(new DirectoryLock(file, channel));
                }
                return Optional.empty();
            } finally {
                if (!taken) {
                    channel.close();
                }
            }
        } finally {
            if (!taken) {
                HELD.remove(file);
            }
        }
    }

    /** Who holds a lock that could not be taken, as far as is known. */
    static String holder(Path file) {
        if (HELD.contains(file)) {
            return "this process";
        }
        try {
            return "process " + Long.parseLong(Files.readString(file).strip());
        } catch (IOException | NumberFormatException e) {
            return "another process";
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            HELD.remove(file); // not before: nobody may open the file while the channel is
        }
    }
}
