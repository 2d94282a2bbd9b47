package io.pgflow.benchmark;

import io.pgflow.benchmark.sql.SqlBench;
import io.pgflow.benchmark.yardstick.Yardstick;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** Measures, prints a table, and writes report.html, results.md, results.json and the report's plots as files. {@link Options#USAGE} says how to call it. */
public final class Bench {
    private static final int WARM_UP_OF_SQL = 2_000;

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
        Files.createDirectories(options.out());
        var data = Files.createTempDirectory("pgflow-bench");
        try (var server = Server.start(data)) {
            var facts = facts(server, options, List.of(arguments));
            facts.put("data on", Files.getFileStore(data).type());
            if (options.sql()) {
                sql(server, options, facts);
            } else {
                whole(server, options, facts);
            }
        } finally {
            delete(data);
        }
    }

    private static void sql(Server server, Options options, SequencedMap<String, String> facts) throws Exception {
        var results = new Results();
        var bench = new SqlBench(server, results, options.tasks());
        var chosen = chosen(options, bench.measurements());
        if (options.tasks() > WARM_UP_OF_SQL) {
            System.err.println("warm-up: small counts");
            Measurement.takeAll(options.chosen(new SqlBench(server, new Results(), WARM_UP_OF_SQL).measurements()), 1);
        }
        try {
            Measurement.takeAll(chosen, options.rounds());
        } finally {
            write(options, new Report("PgFlow's SQL functions by bare JDBC", facts, bench.goals(), results.figures()));
        }
    }

    private static void whole(Server server, Options options, SequencedMap<String, String> facts) throws Exception {
        facts.putAll(Yardstick.contenders());
        var results = new Results();
        try (var pins = Pins.watch(); // from the first: what watches has itself to be compiled
                var yardstick = new Yardstick(server, results, options.tasks())) {
            var chosen = chosen(options, yardstick.measurements());
            if (!options.quick()) {
                System.err.println("warm-up: half as many");
                try (var warmUp = new Yardstick(server, new Results(), Math.max(1, options.tasks() / 2))) {
                    Measurement.takeAll(warmUp.warmUp(chosen), 1);
                }
            }
            try {
                Measurement.takeAll(chosen, options.rounds());
                yardstick.pinned(pins.stop());
            } finally { // what was measured before something failed is worth having, too
                write(options, new Report("PgFlow beside others", facts, yardstick.goals(), results.figures()));
            }
        }
    }

    private static List<Measurement> chosen(Options options, List<Measurement> all) {
        var chosen = options.chosen(all);
        if (chosen.isEmpty()) {
            throw new IllegalArgumentException("no section begins with any of %s; there are %s"
                    .formatted(
                            options.only(),
                            all.stream().map(Measurement::section).distinct().collect(Collectors.joining(", "))));
        }
        return chosen;
    }

    private static SequencedMap<String, String> facts(Server server, Options options, List<String> arguments) {
        var facts = new LinkedHashMap<String, String>();
        facts.put("command", ("./examples/bench " + String.join(" ", arguments)).strip());
        facts.put("machine", Machine.description());
        facts.put("Java", Runtime.version().toString());
        facts.put("server", server.version());
        facts.put(
                "server's settings",
                Server.SETTINGS.entrySet().stream()
                        .map(setting -> setting.getKey() + "=" + setting.getValue())
                        .collect(Collectors.joining(", ")));
        facts.put(
                "values",
                "medians of %d round(s) with the least and the greatest; each round begins with another measurement, and every second goes backwards"
                        .formatted(options.rounds()));
        facts.put(
                "databases",
                "each measurement has a new one; CHECKPOINT before it, none during it; autovacuum as it is by default; no VACUUM or ANALYZE by hand");
        return facts;
    }

    private static void write(Options options, Report report) throws IOException {
        var uptime = Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime());
        report.facts().put("took", "%d min %d s".formatted(uptime.toMinutes(), uptime.toSecondsPart()));
        System.out.print(TextReport.of(report));
        write(options.out().resolve("results.json"), JsonReport.of(report));
        write(options.out().resolve("report.html"), HtmlReport.of(report));
        var plots = new ArrayList<String>();
        for (var plot : report.plots().entrySet()) {
            var file = plot.getKey().toLowerCase(Locale.ROOT).replace(' ', '-') + ".svg";
            write(options.out().resolve(file), BarChart.file(plot.getKey(), plot.getValue()));
            plots.add(file);
        }
        write(options.out().resolve("results.md"), MarkdownReport.of(report, plots));
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
