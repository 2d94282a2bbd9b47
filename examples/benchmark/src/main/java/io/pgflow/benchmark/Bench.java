package io.pgflow.benchmark;

import io.pgflow.benchmark.sql.SqlBench;
import io.pgflow.benchmark.yardstick.Yardstick;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** Measures, prints a table, and writes report.html and results.json. {@link Options#USAGE} says how to call it. */
public final class Bench {
    private static final int WARM_UP = 2_000;

    private Bench() {}

    /**
     * Measures.
     *
     * @param arguments see {@link Options#USAGE}
     */
    public static void main(String[] arguments) throws Exception {
        if (List.of(arguments).contains("--help")) {
            System.out.println(Options.USAGE);
            return;
        }
        Options options;
        try {
            options = Options.parse(List.of(arguments));
        } catch (Options.Invalid e) {
            System.err.println(e.getMessage() + System.lineSeparator() + Options.USAGE);
            System.exit(2);
            return;
        }
        var data = Files.createTempDirectory("pgflow-bench");
        try (var server = Server.start(data)) {
            var report = options.sql()
                    ? sql(server, options, List.of(arguments))
                    : whole(server, options, List.of(arguments));
            System.out.print(TextReport.of(report));
            write(options.out().resolve("results.json"), JsonReport.of(report));
            write(options.out().resolve("report.html"), HtmlReport.of(report));
        } finally {
            delete(data);
        }
    }

    private static Report sql(Server server, Options options, List<String> arguments) throws Exception {
        if (options.tasks() > WARM_UP) {
            System.err.println("warm-up: small counts");
            Measurement.takeAll(options.chosen(new SqlBench(server, new Results(), WARM_UP).measurements()), 1);
        }
        var results = new Results();
        var bench = new SqlBench(server, results, options.tasks());
        Measurement.takeAll(options.chosen(bench.measurements()), options.rounds());
        return new Report(
                "PgFlow's SQL functions by bare JDBC",
                facts(server, options, arguments),
                bench.goals(),
                results.figures());
    }

    private static Report whole(Server server, Options options, List<String> arguments) throws Exception {
        if (options.tasks() > WARM_UP) {
            System.err.println("warm-up: small counts");
            try (var yardstick = new Yardstick(server, new Results(), WARM_UP)) {
                Measurement.takeAll(yardstick.warmUp(), 1);
            }
        }
        var results = new Results();
        try (var yardstick = new Yardstick(server, results, options.tasks())) {
            Measurement.takeAll(options.chosen(yardstick.measurements()), options.rounds());
            var facts = facts(server, options, arguments);
            facts.putAll(Yardstick.contenders());
            return new Report("PgFlow beside others", facts, yardstick.goals(), results.figures());
        }
    }

    private static SequencedMap<String, String> facts(Server server, Options options, List<String> arguments) {
        var facts = new LinkedHashMap<String, String>();
        facts.put("command", ("./examples/bench " + String.join(" ", arguments)).strip());
        facts.put(
                "machine",
                "%d CPUs, %s %s"
                        .formatted(
                                Runtime.getRuntime().availableProcessors(),
                                System.getProperty("os.name"),
                                System.getProperty("os.arch")));
        facts.put("Java", Runtime.version().toString());
        facts.put("server", server.version());
        facts.put(
                "server's settings",
                Server.SETTINGS.entrySet().stream()
                        .map(setting -> setting.getKey() + "=" + setting.getValue())
                        .collect(Collectors.joining(", ")));
        facts.put(
                "values",
                "medians of %d round(s) with the least and the greatest; each round begins with another measurement"
                        .formatted(options.rounds()));
        facts.put(
                "databases",
                "each measurement has a new one; CHECKPOINT before it, none during it; autovacuum as it is by default; no VACUUM or ANALYZE by hand");
        return facts;
    }

    private static void write(Path file, String content) throws IOException {
        Files.writeString(file, content);
        System.out.println("wrote " + file.toAbsolutePath());
    }

    private static void delete(Path directory) throws IOException {
        try (var paths = Files.walk(directory)) {
            for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
