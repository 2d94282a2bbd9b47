package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class EnableNotificationsTest {
    private static final String THROTTLE =
            "select queue_name, throttle_interval_ms from pgmq.list_notify_insert_throttles()";

    @Test
    void letsTheQueueAnnounceNewTasks(Flows db, Flows listener) {
        db.define("MyFlow", """
                a
                b: a
                """);
        assertThat(db.line("select pgflow.enable_notifications(flow_slug => 'MyFlow', throttle_ms => 0)"))
                .isEqualTo("t");
        listener.listen("pgmq.q_MyFlow.INSERT");

        db.startMany("MyFlow", 3);
        assertThat(listener.heardFrom(db)).as("one for all").containsExactly("pgmq.q_MyFlow.INSERT");

        db.completeTasks(Flows.reports(db.claim("MyFlow", 10), "1"));
        assertThat(listener.heardFrom(db)).containsExactly("pgmq.q_MyFlow.INSERT");

        db.completeTasks(Flows.reports(db.claim("MyFlow", 10), "1"));
        assertThat(listener.heardFrom(db)).as("nothing new").isEmpty();
    }

    @Test
    void thinsAnnouncementsOut(Flows db, Flows listener) {
        db.define("f", "a");
        db.run("select pgflow.enable_notifications('f', 3600000)");
        listener.listen("pgmq.q_f.INSERT");

        for (int i = 0; i < 5; i++) db.start("f", "1");

        assertThat(listener.heardFrom(db)).containsExactly("pgmq.q_f.INSERT");
    }

    @Test
    void leavesAnIntervalThatSomebodySet(Flows db) {
        db.define("f", "a");
        db.run("select pgflow.enable_notifications('f', 100)");
        db.run("select pgmq.update_notify_insert('f', 7)");

        assertThat(db.line("select pgflow.enable_notifications('f', 100)")).isEqualTo("t");
        assertThat(db.line(THROTTLE)).isEqualTo("f 7");
    }

    /** The table of intervals is not logged. */
    @Test
    void mendsAQueueThatLostItsIntervalInACrash(Flows db) {
        db.define("f", "a");
        db.run("select pgflow.enable_notifications('f', 100)");
        db.run("truncate pgmq.notify_insert_throttle");

        db.run("select pgflow.enable_notifications('f', 100)");

        assertThat(db.line(THROTTLE)).isEqualTo("f 100");
    }

    @Test
    void refusesAnUnknownFlow(Flows db) {
        assertThat(db.refusal("select pgflow.enable_notifications('nobody', 100)")
                        .message())
                .contains("does not exist");
    }

    @Test
    void canBeCalledBySeveralAtOnceWhileOthersSend(Flows a, Flows b, Flows sender) {
        a.define("f", "x");
        for (int i = 0; i < 10; i++) {
            a.run("select pgmq.disable_notify_insert('f')");
            var calls = Stream.of(a, b)
                    .map(db -> Background.start(
                            db, session -> session.lines("select pgflow.enable_notifications('f', 100)")))
                    .toList();
            var sending = Background.start(sender, session -> session.startMany("f", 20));
            assertThat(calls.stream().map(Background::result)).containsOnly(List.of("t"));
            assertThat(sending.result()).hasSize(20);
        }
        assertThat(a.line(THROTTLE)).isEqualTo("f 100");
    }
}
