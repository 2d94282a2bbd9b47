package io.pgflow.benchmark;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** The machine that everything is measured on. */
final class Machine {
    private static final Path CPUS = Path.of("/proc/cpuinfo");

    private Machine() {}

    /** What decides how fast it is. */
    static String description() {
        return "%d CPUs%s, %d GB of memory, %s %s"
                .formatted(
                        Runtime.getRuntime().availableProcessors(),
                        model(),
                        Math.round(memory() / 1e9),
                        System.getProperty("os.name"),
                        System.getProperty("os.arch"));
    }

    private static long memory() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }

    /** Of the first CPU; nothing where Linux does not tell. */
    private static String model() {
        if (!Files.isReadable(CPUS)) {
            return "";
        }
        try (var lines = Files.lines(CPUS)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> " (" + line.substring(line.indexOf(':') + 1).strip() + ")")
                    .findFirst()
                    .orElse("");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
