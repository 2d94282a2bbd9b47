package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pgflow.testing.TestDatabases;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.ds.PGSimpleDataSource;

/** What depends on the order of slugs is the same in every database, also in one that sorts {@code B} after {@code a}. */
@ExtendWith(TestDatabases.class)
class CollationTest {
    @Test
    void ofTheDatabaseDoesNotMatter(PGSimpleDataSource other) throws Exception {
        assumeTrue(
                Sql.query(other, "select count(*) > 0 from pg_collation where collname = 'en-x-icu'")
                        .equals(List.of("t")),
                "the server was built without ICU");
        var name = other.getDatabaseName() + "_en";
        Sql.execute(
                other,
                "create database " + name + " template template0 encoding 'UTF8' locale_provider icu icu_locale 'en'");
        try {
            var english = new PGSimpleDataSource();
            english.setUrl(other.getURL());
            english.setUser(other.getUser());
            english.setPassword(other.getPassword());
            english.setDatabaseName(name);
            Schema.migrate(english);
            try (var db = new Flows(english)) {
                assertThat(db.holds("'a' < 'B'")).isTrue();
                ordersSlugsByTheirBytes(db);
            }
        } finally {
            Sql.execute(other, "drop database " + name + " with (force)");
        }
    }

    private static void ordersSlugsByTheirBytes(Flows db) {
        Realtime.install(db);
        db.define("f", """
                a
                B
                _c
                z: a, B, _c
                """);
        db.run("select pgflow.start_flows('f', array['1', '2']::jsonb[])");

        assertThat(db.queue("f")).containsExactly("B[0]", "B[0]", "_c[0]", "_c[0]", "a[0]", "a[0]");
        assertThat(Realtime.events(db).subList(2, 8))
                .containsExactly(
                        "step:B:started",
                        "step:B:started",
                        "step:_c:started",
                        "step:_c:started",
                        "step:a:started",
                        "step:a:started");
        assertThat(db.line("select pgflow._get_flow_shape('f') #>> '{steps,3,dependencies}'"))
                .isEqualTo("[\"B\", \"_c\", \"a\"]");
        assertThat(db.line("""
                        select (pgflow._compare_flow_shapes(
                          '{"steps": [{"slug": "z", "dependencies": ["a", "_c", "B"]}]}',
                          '{"steps": [{"slug": "z", "dependencies": []}]}'))[1]""")).isEqualTo("Step at index 0: dependencies differ [B, _c, a] vs []");
    }
}
