package io.pgflow.sql;

import static io.pgflow.sql.Sql.execute;
import static io.pgflow.sql.Sql.query;
import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Migration.Outcome;
import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.TestDatabases;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLWarning;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith({CoreDatabase.class, TestDatabases.class})
class RefreshEnvironmentTest {
    private static final String REALTIME = "create schema realtime;"
            + " create function realtime.send(jsonb, text, text, boolean) returns void language sql as ''";

    @BeforeEach
    void nobodyListens(Flows db) {
        Realtime.remove(db);
    }

    @Test
    void tellsWhetherEventsAreSent(Flows db) {
        assertThat(db.line("select pgflow.refresh_environment()")).isEqualTo("f");
        db.run(REALTIME);
        assertThat(db.line("select pgflow.refresh_environment()")).isEqualTo("t");
        assertThat(db.line("select pgflow.refresh_environment()")).isEqualTo("t");
        db.run("drop schema realtime cascade");
        assertThat(db.line("select pgflow.refresh_environment()")).isEqualTo("f");
    }

    /** Its settings above all, without which it would be another function than the one installed. */
    @Test
    void changesNothingElse(Flows db) {
        var definition = "select pg_get_functiondef('pgflow._emits()'::regprocedure)";
        var before = db.line(definition);
        Realtime.install(db);
        var there = db.line(definition);
        Realtime.remove(db);

        assertThat(there)
                .isEqualTo(before.replace("select false", "select true"))
                .isNotEqualTo(before);
        assertThat(db.line(definition)).isEqualTo(before);
    }

    /** The answer is part of plans, which sessions keep. */
    @Test
    void isNoticedByAllSessions(Flows db, Flows other) {
        db.define("f", "a");
        for (int i = 0; i < 10; i++) db.start("f", "1");

        Realtime.install(other);
        db.start("f", "1");
        assertThat(Realtime.events(other)).containsExactly("run:started", "step:a:started");

        Realtime.remove(other);
        assertThat(db.notices("select pgflow.start_flow('f', '1')")).isEmpty();
    }

    @Test
    void isMissedWhereRealtimeWentWithoutIt(Flows db) {
        db.define("f", "a");
        Realtime.install(db);
        db.run("drop schema realtime cascade");

        assertThat(db.notices("select pgflow.start_flow('f', '1')"))
                .hasSize(2)
                .extracting(SQLWarning::getMessage)
                .allMatch(warning -> warning.endsWith(": schema \"realtime\" does not exist"));
        assertThat(db.claim("f", 10)).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "create function realtime.send(json, text, text, boolean) returns void language sql as ''",
                "create function realtime.send(jsonb, text, text) returns void language sql as ''",
                "create function realtime.sent(jsonb, text, text, boolean) returns void language sql as ''",
                "create procedure realtime.send(jsonb, text, text, boolean) language sql as ''"
            })
    void looksForASendOfExactlyTheseArguments(String other, Flows db) {
        db.run("create schema realtime");
        db.run(other);
        assertThat(db.line("select pgflow.refresh_environment()")).isEqualTo("f");
    }

    /** So nothing is called to find out that nobody listens. */
    @Test
    void leavesAConstantInPlans(Flows db) {
        assertThat(db.lines("explain verbose select pgflow._emits()")).contains("  Output: false");
    }

    @Test
    void writesOnlyWhatChanged(Flows db) {
        var version = "select xmin from pg_proc where oid = 'pgflow._emits'::regproc";
        var before = db.line(version);
        db.run("select pgflow.refresh_environment()");
        assertThat(db.line(version)).isEqualTo(before);
    }

    @Test
    void isPartOfTheInstallation(@EmptyDatabase DataSource database) throws Exception {
        execute(database, REALTIME);
        Schema.migrate(database);
        assertThat(query(database, "select pgflow._emits()")).containsExactly("t");
    }

    @Test
    void isPartOfTheScript(@EmptyDatabase DataSource database) throws Exception {
        execute(database, REALTIME);
        execute(database, Files.readString(Path.of("target/pgflow.sql")));
        assertThat(query(database, "select pgflow._emits()")).containsExactly("t");
    }

    /** The file says that nobody listens; and whoever looks after the upgrade must not find it so. */
    @Test
    void isPartOfAnUpgrade(@EmptyDatabase DataSource database) throws Exception {
        execute(database, REALTIME);
        Schema.migrate(database);
        execute(database, "update pgflow.schema_history set checksum = 'old' where file = 'functions/_emits.sql'");

        assertThat(Schema.migrate(database).outcome()).isEqualTo(Outcome.UPGRADED);
        assertThat(query(database, "select pgflow._emits()")).containsExactly("t");
        assertThat(Schema.migrate(database).outcome()).isEqualTo(Outcome.UNCHANGED);
    }
}
