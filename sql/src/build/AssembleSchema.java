import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Puts the SQL files together, run by the build: {@code java AssembleSchema.java RELEASE SQL_FOLDER RESOURCES SCRIPT}.
 *
 * <p>Into the folder RESOURCES go {@code index}, with the release and each file's checksum in the order in which they are applied, and
 * {@code pgmq/choose.sql} with pgmq.sql in it. SCRIPT is all of it as one file for an empty database.
 */
final class AssembleSchema {
    private record SqlFile(String name, String text, String checksum) {}

    public static void main(String[] args) throws Exception {
        var release = args[0];
        var source = Path.of(args[1]);
        var resources = Path.of(args[2]);
        var pgmq = read(source, "pgmq/pgmq.sql");
        var choose = Files.readString(source.resolve("pgmq/choose.sql")).replace("{pgmq.sql}", pgmq.text);
        var files = new ArrayList<SqlFile>();
        files.addAll(readAll(source, "tables"));
        files.addAll(readAll(source, "functions"));

        var index = new StringBuilder(release).append('\n').append(line(pgmq));
        files.forEach(file -> index.append(line(file)));
        write(resources.resolve("index"), index.toString());
        write(resources.resolve("pgmq/choose.sql"), choose);
        write(
                Path.of(args[3]),
                script(release, Files.readString(source.resolve("schema_history.sql")), choose, pgmq, files));
    }

    private static String script(String release, String history, String choose, SqlFile pgmq, List<SqlFile> files) {
        var script = new StringBuilder();
        script.append("-- PgFlow ").append(release).append(": the whole schema, for an empty database.\n\n");
        script.append("begin;\nset local search_path to '';\nset local check_function_bodies to off;\n");
        script.append("\n\n-- schema_history.sql\n\n").append(history);
        script.append("\n\n-- pgmq/choose.sql\n\n").append(choose);
        script.append("\ninsert into pgflow.schema_history (file, checksum, release)\nselect ")
                .append(values(pgmq, release))
                .append(
                        "\nwhere obj_description(to_regnamespace('pgmq'), 'pg_namespace') like 'PgFlow SQL-only pgmq %';\n");
        for (var file : files) {
            script.append("\n\n-- ").append(file.name).append("\n\n").append(file.text);
            script.append("\ninsert into pgflow.schema_history (file, checksum, release) values (")
                    .append(values(file, release))
                    .append(");\n");
        }
        return script.append("\n\nselect pgflow.refresh_environment(), pgflow._refresh_privileges();\n\ncommit;\n")
                .toString();
    }

    private static String values(SqlFile file, String release) {
        return "'" + file.name + "', '" + file.checksum + "', '" + release + "'";
    }

    private static String line(SqlFile file) {
        return file.checksum + " " + file.name + "\n";
    }

    private static List<SqlFile> readAll(Path source, String folder) throws IOException {
        try (Stream<Path> files = Files.list(source.resolve(folder))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".sql"))
                    .sorted()
                    .map(name -> read(source, folder + "/" + name))
                    .toList();
        }
    }

    private static SqlFile read(Path source, String name) {
        try {
            var bytes = Files.readAllBytes(source.resolve(name));
            var checksum = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
            return new SqlFile(name, new String(bytes, StandardCharsets.UTF_8), checksum);
        } catch (Exception e) {
            throw new IllegalStateException("cannot read " + source.resolve(name), e);
        }
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
