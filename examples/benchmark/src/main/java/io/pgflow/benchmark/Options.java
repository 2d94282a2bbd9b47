package io.pgflow.benchmark;

import java.nio.file.Path;
import java.util.List;

/**
 * What the command line says.
 *
 * @param sql whether the SQL functions are measured instead of the whole
 * @param rounds how often everything is measured
 * @param tasks how many tasks a drain of ours has; all other counts go with it
 * @param only the sections to measure; none for all
 * @param out where report.html, results.json and the plots are written
 */
record Options(boolean sql, int rounds, int tasks, List<String> only, Path out) {
    static final String USAGE = """
            usage: bench [sql] [--quick] [--rounds N] [--tasks N] [--only SECTION,SECTION] [--out DIRECTORY]
              sql        the SQL functions by bare JDBC, instead of the whole
              --quick    tiny counts, one round: shows that it works, not how fast
              --rounds   how often everything is measured, 3 unless given
              --tasks    how many tasks a drain has, 40000 unless given; all other counts go with it
              --only     some sections only, by the beginnings of their names
              --out      where report.html, results.md, results.json and plots are written, the working directory unless given""";

    private static final int QUICK = 100;

    /** The command line cannot be read. */
    static final class Invalid extends Exception {
        private static final long serialVersionUID = 1L;

        Invalid(String message) {
            super(message);
        }
    }

    static Options parse(List<String> arguments) throws Invalid {
        var options = new Options(false, 3, 40_000, List.of(), Path.of(""));
        for (var left = arguments.iterator(); left.hasNext(); ) {
            var argument = left.next();
            options = switch (argument) {
                case "sql" -> new Options(true, options.rounds, options.tasks, options.only, options.out);
                case "--quick" -> new Options(options.sql, 1, QUICK, options.only, options.out);
                default -> {
                    if (!left.hasNext()) {
                        throw new Invalid("what is '" + argument + "'?");
                    }
                    yield options.with(argument, left.next());
                }
            };
        }
        return options;
    }

    private Options with(String option, String value) throws Invalid {
        return switch (option) {
            case "--rounds" -> new Options(sql, number(option, value), tasks, only, out);
            case "--tasks" -> new Options(sql, rounds, number(option, value), only, out);
            case "--only" -> new Options(sql, rounds, tasks, List.of(value.split(",")), out);
            case "--out" -> new Options(sql, rounds, tasks, only, Path.of(value));
            default -> throw new Invalid("what is '" + option + "'?");
        };
    }

    private static int number(String option, String value) throws Invalid {
        try {
            int number = Integer.parseInt(value);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new Invalid(option + " is '" + value + "': make it a whole number above zero");
    }

    /** Whether it need not be known how fast anything is. */
    boolean quick() {
        return tasks <= QUICK;
    }

    /** Those that are to be taken. */
    List<Measurement> chosen(List<Measurement> measurements) {
        return measurements.stream()
                .filter(measurement -> only.isEmpty()
                        || only.stream()
                                .anyMatch(name -> measurement.section().regionMatches(true, 0, name, 0, name.length())))
                .toList();
    }
}
