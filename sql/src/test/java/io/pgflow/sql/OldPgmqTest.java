package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Pgmq.Kind;
import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.Invariants;
import io.pgflow.testing.TestDatabases;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Objects;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The core on somebody else's pgmq of the oldest release that will do, 1.5: it must ask for no more than that has. */
@ExtendWith(TestDatabases.class)
class OldPgmqTest {

    private static Flows open(DataSource database) {
        try (var sql = Objects.requireNonNull(OldPgmqTest.class.getResourceAsStream("/pgmq-1.5.sql"))) {
            Sql.execute(database, new String(sql.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException | SQLException e) {
            throw new IllegalStateException(e);
        }
        assertThat(Schema.migrate(database).pgmq()).isEqualTo(new Pgmq(Kind.OTHER_SQL, "1.5.0"));
        var db = new Flows(database);
        db.run("select pgflow.register_worker(?, 'Orders', 'tests')", Flows.WORKER);
        return db;
    }

    @Test
    void isEnoughForWorkflowsFromTheirDefinitionToTheirRemoval(@EmptyDatabase DataSource database) {
        try (var db = open(database)) {
            db.define("Orders", "max_attempts => 2, base_delay => 0", """
                    a
                    m map: a
                    later: m | start_delay => 1000
                    """);
            assertThat(db.holds("pgflow.enable_notifications('Orders', 100)")).isFalse();
            var run = db.start("Orders", "1");

            // in two phases, by one call, handed back, failed, stalled, lost
            var first = db.poll("Orders").getFirst();
            assertThat(db.fail(first, "no")).startsWith("a[0] queued");
            assertThat(db.complete(db.poll("Orders").getFirst(), "[1, 2]")).startsWith("a[0] completed");
            db.startMany("Orders", 2);
            var tasks = db.claim("Orders", 2);
            assertThat(db.release(Flows.reports(tasks, null))).isEqualTo(2);
            tasks = db.claim("Orders", 2);
            tasks.forEach(task -> db.backdate(task, 1000));
            assertThat(db.number("select pgflow.requeue_stalled_tasks()")).isEqualTo(2);
            tasks = db.claim("Orders", 2);
            tasks.forEach(task -> db.backdate(task, 1000));
            assertThat(db.lines("select outcome from pgflow.recover_tasks()")).containsExactly("requeued", "requeued");
            assertThat(db.claim("Orders", 1)).hasSize(1);
            assertThat(db.releaseLost("Orders", tasks)).isEqualTo(1);
            db.drain("Orders", "[3]");

            assertThat(db.number("select pgflow.next_message_delay('Orders')")).isBetween(500_000L, 1_000_000L);
            db.show("orders");
            db.drain("Orders", "[4]");
            assertThat(db.run(run)).isEqualTo("completed 0");
            assertThat(db.lines("select distinct status from pgflow.runs")).containsExactly("completed");
            assertThat(db.queue("orders")).isEmpty();
            Invariants.checkEnded(database);

            db.run("select pgflow.prune_data_older_than('-1 s')");
            assertThat(db.archive("orders")).isEmpty();
            db.run("select pgflow.delete_flow_and_data('Orders')");
            assertThat(db.lines("select * from pgmq.list_queues()")).isEmpty();
        }
    }

    /** Also what the test above does not come to. That one function is looked for before it is called. */
    @Test
    void hasAllThatIsCalledButNotifications(@EmptyDatabase DataSource database) {
        try (var db = open(database)) {
            assertThat(db.lines("""
                            select distinct m[1]
                            from pg_proc p
                            cross join lateral regexp_matches(p.prosrc, 'pgmq\\.(\\w+)\\(', 'g') m
                            where p.pronamespace = 'pgflow'::regnamespace
                              and not exists (select from pg_proc q where q.pronamespace = 'pgmq'::regnamespace and q.proname = m[1])""")).containsExactly("enable_notify_insert");
        }
    }
}
