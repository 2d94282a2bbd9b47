package io.pgflow.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.pgflow.Workers;
import java.io.DataInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jar of the runtime, built where both JDKs are, works on both. */
class ReleasedJarTest {

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
        assertThat(run(Path.of(JDK_25), folder)).contains("paid 4200 for o-1");
    }

    @Test
    void runsAFlowOnTheJdkThatBuiltIt(@TempDir Path folder) throws Exception {
        assertThat(run(Path.of(System.getProperty("java.home")), folder)).contains("paid 4200 for o-1");
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

    /** Runs the README's example on the class path of this test, in a JVM of its own; what it printed. */
    private static String run(Path jdk, Path folder) throws Exception {
        var output = folder.resolve("output").toFile();
        var process = new ProcessBuilder(
                        jdk.resolve("bin/java").toString(),
                        "--enable-preview",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FulfilOrder.class.getName())
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
