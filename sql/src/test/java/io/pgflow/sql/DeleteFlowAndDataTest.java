package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class DeleteFlowAndDataTest {

    @Test
    void deletesTheFlowItsRunsAndItsQueue(Flows db) {
        for (var flow : new String[] {"f", "g"}) {
            db.define(flow, """
                    a
                    m map: a
                    """);
            db.start(flow, "1");
            db.complete(db.claimOne(flow), "[1]");
        }

        db.run("select pgflow.delete_flow_and_data(p_flow_slug => 'f')");

        assertThat(db.lines("""
                        select distinct flow_slug from pgflow.flows union select flow_slug from pgflow.steps union select flow_slug from pgflow.deps
                        union select flow_slug from pgflow.runs union select flow_slug from pgflow.step_states union select flow_slug from pgflow.step_tasks""")).containsExactly("g");
        assertThat(db.lines("select queue_name from pgmq.list_queues()")).containsExactly("g");
        assertThat(db.holds("to_regclass('pgmq.q_f') is null and to_regclass('pgmq.a_f') is null"))
                .isTrue();
        assertThat(db.queue("g")).containsExactly("m[0]");
    }

    @Test
    void passesAnUnknownFlowOver(Flows db) {
        db.define("f", "a");

        db.run("select pgflow.delete_flow_and_data('nobody')");
        db.run("select pgflow.delete_flow_and_data(null)");

        assertThat(db.lines("select flow_slug from pgflow.flows")).containsExactly("f");
    }

    @Test
    void deletesAFlowWhoseQueueIsGone(Flows db) {
        db.define("f", "a");
        db.start("f", "1");
        db.run("select pgmq.drop_queue('f')");

        db.run("select pgflow.delete_flow_and_data('f')");

        assertThat(db.lines("select * from pgflow.flows")).isEmpty();
    }

    /** Whoever is recording something ends first; then there is nothing left to record. */
    @Test
    void waitsForThoseWhoAreAtWork(Flows db, Flows worker) {
        db.define("f", "m map");
        var run = db.start("f", "[1, 2]");
        var tasks = db.claim("f", 10);
        worker.begin();
        worker.run("select pgflow._lock_runs(array[?]::uuid[])", run); // as every report begins

        var deletion = Background.start(db, session -> session.lines("select pgflow.delete_flow_and_data('f')"));
        deletion.awaitLock(worker);
        worker.complete(tasks.get(0), "1");
        worker.commit();

        deletion.result();
        assertThat(db.lines("select * from pgflow.flows")).isEmpty();
        assertThat(worker.complete(tasks.get(1), "2")).isEmpty();
    }

    @Test
    void waitsForARunThatIsBeingStarted(Flows db, Flows starter) {
        db.define("f", "a");
        starter.begin();
        starter.run("insert into pgflow.runs (flow_slug, input) values ('f', '1')"); // as every start begins

        var deletion = Background.start(db, session -> session.lines("select pgflow.delete_flow_and_data('f')"));
        deletion.awaitLock(starter);
        starter.start("f", "1");
        starter.commit();

        deletion.result();
        assertThat(db.lines("select * from pgflow.runs")).isEmpty();
    }

    @Test
    void isNotMetByARecovery(Flows db, Flows other) {
        db.define("f", "a");
        db.define("g", "a");
        db.start("f", "1");
        db.start("g", "1");
        db.claimOne("f");
        db.claimOne("g");
        db.run("select pgflow.mark_worker_stopped(?)", Flows.WORKER);
        db.begin();
        db.run("select pgflow.delete_flow_and_data('f')");

        other.run("set lock_timeout = '1ms'");
        assertThat(other.lines("select * from pgflow.recover_tasks()")).isEmpty();
        other.run("set lock_timeout = '30s'");

        db.commit();
        assertThat(other.lines("select flow_slug from pgflow.recover_tasks()")).containsExactly("g");
    }
}
