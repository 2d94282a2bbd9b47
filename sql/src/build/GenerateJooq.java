import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.jooq.Constants;
import org.jooq.codegen.GenerationTool;
import org.jooq.meta.jaxb.Configuration;
import org.jooq.meta.jaxb.Database;
import org.jooq.meta.jaxb.Generate;
import org.jooq.meta.jaxb.Generator;
import org.jooq.meta.jaxb.Logging;
import org.jooq.meta.jaxb.OnError;
import org.jooq.meta.jaxb.SchemaMappingType;
import org.jooq.meta.jaxb.Target;

/**
 * Generates the jOOQ classes, run by the build: {@code java GenerateJooq.java THIS_FILE SCRIPT FOLDER}. Starts a PostgreSQL, installs SCRIPT
 * (pgflow.sql) and reads the schema back. Does nothing where FOLDER was made from the same script, by the same generator.
 */
final class GenerateJooq {
    /** What the runtime calls of pgmq. Not its overloaded functions (send, set_vt, archive, delete): their classes would collide. */
    private static final String PGMQ =
            "pgmq\\.(meta|notify_insert_throttle|message_record|create|read|list_queues|purge_queue|metrics"
                    + "|enable_notify_insert|disable_notify_insert|queue_record|metrics_result)";

    public static void main(String[] args) throws Exception {
        var script = Files.readString(Path.of(args[1]));
        var folder = Path.of(args[2]);
        var stamp = Path.of(folder + ".sha256");
        var sha256 = MessageDigest.getInstance("SHA-256");
        sha256.update(Files.readAllBytes(Path.of(args[0])));
        sha256.update(script.getBytes(StandardCharsets.UTF_8));
        var checksum = Constants.FULL_VERSION + " " + HexFormat.of().formatHex(sha256.digest());
        if (Files.exists(stamp) && Files.readString(stamp).equals(checksum)) {
            return;
        }
        Files.deleteIfExists(stamp);
        try (var postgres = EmbeddedPostgres.start();
                var connection = postgres.getPostgresDatabase().getConnection();
                var statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            statement.execute(script);
            var tool = new GenerationTool();
            tool.setConnection(connection);
            tool.run(configuration(folder));
        }
        Files.writeString(stamp, checksum);
    }

    private static Configuration configuration(Path folder) {
        return new Configuration()
                .withLogging(Logging.WARN)
                .withOnError(OnError.FAIL)
                .withGenerator(new Generator()
                        .withDatabase(new Database()
                                .withName("org.jooq.meta.postgres.PostgresDatabase")
                                .withSchemata(
                                        new SchemaMappingType().withInputSchema("pgflow"),
                                        new SchemaMappingType().withInputSchema("pgmq"))
                                .withIncludes("pgflow\\..*|" + PGMQ)
                                .withExcludes("pgflow\\.(_(?!get_flow_shape|compare_flow_shapes).*|schema_history)"))
                        .withGenerate(new Generate()
                                .withGeneratedAnnotation(false)
                                .withGlobalUDTReferences(false)
                                .withPojos(false))
                        .withTarget(new Target()
                                .withPackageName("io.pgflow.sql.jooq")
                                .withDirectory(folder.toString())));
    }
}
