package io.pgflow.examples;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.pgflow.Workers;
import java.io.DataInputStream;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jar of the runtime, built where both JDKs are, works on both. */
class ReleasedJarTest {

    private static final String CLASS_PATH = System.getProperty("java.class.path");

    private static final Path JDK = Path.of(System.getProperty("java.home"));

    private static final String JDK_25 = System.getenv("PGFLOW_JDK_25");

    private Path jar;

    @BeforeEach
    void needsTheJarAndBothJdks() throws Exception {
        jar = Path.of(Workers.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        assumeThat(jar).as("the packaged jar, which tests get in `verify`").isRegularFile();
        assumeThat(JDK_25).as("PGFLOW_JDK_25, which mvnw sets on JDK 21").isNotNull();
    }

    @Test
    void runsAFlowOnJava25(@TempDir Path folder) throws Exception {
        assertThat(run(Path.of(JDK_25), folder, "-cp", CLASS_PATH)).contains("paid 4200 for o-1");
    }

    @Test
    void runsAFlowOnTheJdkThatBuiltIt(@TempDir Path folder) throws Exception {
        assertThat(run(JDK, folder, "-cp", CLASS_PATH)).contains("paid 4200 for o-1");
    }

    @Test
    void runsAFlowAsAModule(@TempDir Path folder) throws Exception {
        String modules = paths(
                path -> path.endsWith(".jar") && !path.contains("testcontainers")); // of which two have one package
        String classes = paths(path -> !path.endsWith(".jar"));

        assertThat(run(JDK, folder, "-p", modules, "--add-modules", "ALL-MODULE-PATH", "-cp", classes))
                .contains("paid 4200 for o-1");
    }

    @Test
    void holdsOneClassTwice() throws Exception {
        try (var file = new JarFile(jar.toFile())) {
            assertThat(file.isMultiRelease()).isTrue();
            assertThat(file.stream().map(ZipEntry::getName))
                    .filteredOn(name -> name.startsWith("META-INF/versions/") && name.endsWith(".class"))
                    .filteredOn(name -> !name.contains("$"))
                    .containsExactly("META-INF/versions/25/io/pgflow/internal/TaskScope.class");
        }
    }

    @Test
    void isAModuleOnAnyRelease() throws Exception {
        try (var file = new JarFile(jar.toFile());
                var descriptor = new DataInputStream(file.getInputStream(file.getEntry("module-info.class")))) {
            descriptor.readInt(); // the magic number
            assertThat(descriptor.readUnsignedShort())
                    .as("65535 binds a class file to the release of Java whose preview it uses")
                    .isZero();
        }
    }

    private static String paths(Predicate<String> chosen) {
        return Stream.of(CLASS_PATH.split(File.pathSeparator)).filter(chosen).collect(joining(File.pathSeparator));
    }

    /** Runs the README's example in a JVM of its own, with these options; what it printed. */
    private static String run(Path jdk, Path folder, String... options) throws Exception {
        var output = folder.resolve("output").toFile();
        var command = new ArrayList<String>();
        command.add(jdk.resolve("bin/java").toString());
        command.add("--enable-preview");
        command.addAll(List.of(options));
        command.add(FulfilOrder.class.getName());
        var process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output)
                .start();
        try {
            assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(output.toPath());
    }
}
