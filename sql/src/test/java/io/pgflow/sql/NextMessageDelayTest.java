package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class NextMessageDelayTest {

    @Test
    void isNullWhereThereIsNothing(Flows db) {
        db.define("f", "a");

        assertThat(db.line("select pgflow.next_message_delay('f')")).isEqualTo("-");
    }

    @Test
    void isZeroWhereOneIsVisibleThatNobodyHolds(Flows db, Flows other) {
        db.define("f", """
                a
                b | start_delay => 100
                """);
        db.start("f", "1");

        assertThat(db.number("select pgflow.next_message_delay('f')")).isZero();

        other.begin();
        other.run("select from pgmq.q_f where msg_id = 1 for update");
        assertThat(db.number("select pgflow.next_message_delay('f')"))
                .as("it is in others' hands")
                .isBetween(95_000L, 100_000L);
        other.rollback();
    }

    @Test
    void isTheTimeOfTheFirstHiddenMessageInMilliseconds(Flows db) {
        db.define("f", "timeout => 1000", """
                a | start_delay => 100
                b | start_delay => 50
                """);
        db.start("f", "1");

        assertThat(db.number("select pgflow.next_message_delay(flow_slug => 'f')"))
                .isBetween(45_000L, 50_000L);
        db.run("update pgmq.q_f set vt = now() + interval '200 seconds' where msg_id = 2");
        assertThat(db.number("select pgflow.next_message_delay('f')")).isBetween(95_000L, 100_000L);
    }

    @Test
    void countsClaimedMessagesToo(Flows db) {
        db.define("f", "timeout => 100", "a");
        db.start("f", "1");
        db.claimOne("f");

        assertThat(db.number("select pgflow.next_message_delay('f')")).isBetween(97_000L, 102_000L);
    }

    @Test
    void refusesAnUnknownQueue(Flows db) {
        assertThat(db.refusal("select pgflow.next_message_delay('nobody')").state())
                .isEqualTo("42P01");
    }
}
