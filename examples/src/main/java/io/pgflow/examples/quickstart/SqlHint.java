package io.pgflow.examples.quickstart;

import java.util.List;

/** Tells how to look at the latest run with psql. */
final class SqlHint {

    /** The steps of the latest run, and its longest files. */
    static final List<String> QUERIES = List.of("""
            select step_slug, status, initial_tasks as tasks, completed_at - started_at as took
              from pgflow.step_states join pgflow.steps using (flow_slug, step_slug)
             where run_id = (select run_id from pgflow.runs order by started_at desc limit 1)
             order by step_index;""", """
            select output ->> 'path' as file, (output ->> 'words')::int as words, attempts_count as attempts
              from pgflow.step_tasks
             where run_id = (select run_id from pgflow.runs order by started_at desc limit 1)
               and step_slug = 'analyse'
             order by words desc limit 10;""");

    private SqlHint() {}

    /** A command line, while the database is open, and the queries; a line each, indented. */
    static String connected(String databaseUrl) {
        String psql = "psql '" + databaseUrl.replaceFirst("^jdbc:", "") + "'";
        return indented(isEmbedded() ? "PGPASSWORD=$(cat .pgflow/password) " + psql : psql) + queries();
    }

    /** The same for a program that ends: the embedded database, if it was that, ends with it. */
    static String ended(String command, String databaseUrl) {
        return isEmbedded()
                ? indented(command + " --database   # opens the database again, and says how to connect") + queries()
                : connected(databaseUrl);
    }

    private static boolean isEmbedded() {
        return System.getenv().getOrDefault("PGFLOW_DATABASE_URL", "").isBlank();
    }

    private static String queries() {
        return indented(String.join("\n", QUERIES));
    }

    private static String indented(String text) {
        return text.indent(2);
    }
}
