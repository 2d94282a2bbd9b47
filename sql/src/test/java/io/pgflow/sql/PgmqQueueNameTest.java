package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.PgmqSession.Refusal;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(PgmqDatabase.class)
class PgmqQueueNameTest {

    private static final Refusal BAD_CHARACTERS =
            new Refusal("P0001", "queue name contains invalid characters: $, ;, --, or \\'");
    private static final Refusal NULL_NAME =
            new Refusal("22004", "null values cannot be formatted as an SQL identifier");

    @Test
    void becomesATableNameInLowerCase(PgmqSession db) throws SQLException {
        assertThat(db.text("select pgmq.format_table_name('MyQueue', 'q')")).isEqualTo("q_myqueue");
        assertThat(db.text("select pgmq.format_table_name('MyQueue', 'a')")).isEqualTo("a_myqueue");
        assertThat(db.text("select pgmq.format_table_name('odd \"name\"', 'q')"))
                .isEqualTo("q_odd \"name\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a$b", "a;b", "a--b", "a''b", "$"})
    void withCharactersOfSqlIsRefusedEverywhere(String name, PgmqSession db) throws SQLException {
        for (var call : new String[] {
            "format_table_name('%s', 'q')",
            "create('%s')",
            "drop_queue('%s')",
            "send('%s', '{}')",
            "send_batch('%s', array['{}']::jsonb[])",
            "read('%s', 1, 1)",
            "archive('%s', 1::bigint)",
            "metrics('%s')",
            "enable_notify_insert('%s', 250)",
        }) {
            assertThat(db.refusal("select pgmq." + call.formatted(name)))
                    .as(call)
                    .isEqualTo(BAD_CHARACTERS);
        }
    }

    @Test
    void isCheckedForCharactersBeforeLength(PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.create(repeat('$', 60))")).isEqualTo(BAD_CHARACTERS);
    }

    @Test
    void mayHave47Characters(PgmqSession db) throws SQLException {
        var longest = "x".repeat(47);

        db.run("select pgmq.create('" + longest + "')");

        assertThat(db.longs("select pgmq.send('" + longest + "', '{}')")).containsExactly(1L);
        assertThat(db.number("select total_messages from pgmq.metrics('" + longest + "')"))
                .isEqualTo(1);
        assertThat(db.holds("to_regclass('pgmq.archived_at_idx_" + longest + "') is not null"))
                .isTrue();
        assertThat(db.refusal("select pgmq.create('" + longest + "x')"))
                .isEqualTo(new Refusal("P0001", "queue name is too long, maximum length is 47 characters"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "two words", "a.b", "a-b", "ä", "a\"b", "a\\b"})
    void hasOnlyLettersDigitsAndUnderscoresWhenCreated(String name, PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq.create('" + name + "')"))
                .isEqualTo(new Refusal(
                        "42602",
                        "queue name \"" + name + "\" is not usable, it may have only letters A to Z, digits and _"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"camelCase", "UPPER", "1st", "select", "_"})
    void mayHaveCapitalsDigitsFirstAndKeywords(String name, PgmqSession db) throws SQLException {
        db.run("select pgmq.create('" + name + "')");

        assertThat(db.longs("select pgmq.send('" + name + "', '{}')")).containsExactly(1L);
        assertThat(db.longs("select msg_id from pgmq.read('" + name + "', 30, 1)"))
                .containsExactly(1L);
        assertThat(db.holds("pgmq.archive('" + name + "', 1::bigint)")).isTrue();
        assertThat(db.text("select queue_name from pgmq.list_queues() where queue_name = '" + name + "'"))
                .isEqualTo(name);
    }

    @Test
    void thatDiffersOnlyInCaseIsRefused(PgmqSession db) throws SQLException {
        db.run("select pgmq.create('myQueue')");

        assertThat(db.refusal("select pgmq.create('MyQueue')"))
                .isEqualTo(new Refusal(
                        "42P07", "queue name \"MyQueue\" differs only in case from the existing queue \"myQueue\""));
        db.run("select pgmq.create('myQueue')");
        assertThat(db.texts("select queue_name from pgmq.list_queues() where queue_name ilike 'myqueue'"))
                .containsExactly("myQueue");
    }

    @Test
    void thatDiffersOnlyInCaseFromOneJustBeingCreatedIsRefused(PgmqSession one, PgmqSession other) throws Exception {
        one.begin();
        one.run("select pgmq.create('myQueue')");

        var second = other.later("select pgmq.create('myqueue')");
        one.awaitLockWaitOf(other);
        one.commit();

        assertThat(second.get(30, TimeUnit.SECONDS)).isEqualTo("42P07");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "create(null)",
                "drop_queue(null)",
                "purge_queue(null)",
                "send(null, '{}')",
                "send_batch(null, array['{}']::jsonb[])",
                "read(null, 1, 1)",
                "pop(null)",
                "set_vt(null, 1::bigint, 1)",
                "delete(null, 1::bigint)",
                "archive(null, 1::bigint)",
                "metrics(null)",
            })
    void mustNotBeNull(String call, PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq." + call)).isEqualTo(NULL_NAME);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "purge_queue('nowhere')",
                "send('nowhere', '{}')",
                "send_batch('nowhere', array['{}']::jsonb[])",
                "read('nowhere', 1, 1)",
                "read_with_poll('nowhere', 1, 1)",
                "pop('nowhere')",
                "set_vt('nowhere', 1::bigint, 1)",
                "delete('nowhere', 1::bigint)",
                "archive('nowhere', 1::bigint)",
            })
    void ofNoQueueIsAnErrorThatNamesTheMissingTable(String call, PgmqSession db) throws SQLException {
        assertThat(db.refusal("select pgmq." + call))
                .isEqualTo(new Refusal("42P01", "relation \"pgmq.q_nowhere\" does not exist"));
    }
}
