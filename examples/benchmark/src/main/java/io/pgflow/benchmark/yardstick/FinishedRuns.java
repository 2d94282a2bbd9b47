package io.pgflow.benchmark.yardstick;

import io.pgflow.benchmark.Database;
import io.pgflow.benchmark.contenders.Load;
import io.pgflow.benchmark.contenders.PgFlow;
import io.pgflow.benchmark.contenders.Work;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** Databases in which much has been done before. */
final class FinishedRuns {

    private FinishedRuns() {}

    /** Puts finished runs into a database with our schema, and tidies it up as autovacuum would have done long since. */
    static void insert(Database database, int runs) {
        database.run(WorkerProcess.flow().toSql());
        try (var sql = Objects.requireNonNull(FinishedRuns.class.getResourceAsStream("finished-runs.sql"))) {
            database.run(new String(sql.readAllBytes(), StandardCharsets.UTF_8).formatted(runs));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        database.run("vacuum analyze");
    }

    /** Drains single steps, and returns how many a second. */
    static double drain(Database database, int tasks) throws Exception {
        try (var trial = new PgFlow(PgFlow.SLOTS).on(database, new Load(Work.SINGLE, tasks, 1))) {
            trial.startAll();
            return tasks / trial.work();
        }
    }
}
