package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.CoreDatabase.Tampering;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CoreDatabase.class)
class ArchiveTaskMessageTest {

    private static void archive(Flows db, UUID run, int index) {
        db.run("select pgflow._archive_task_message(?, 'm', ?)", run, index);
    }

    @Test
    @Tampering
    void movesTheMessageOfOneTaskAndLeavesTheTask(Flows db) {
        db.define("f", "m map");
        var run = db.start("f", "[1, 2, 3]");
        db.start("f", "[4]");

        archive(db, run, 1);
        archive(db, run, 1);

        assertThat(db.archive("f")).containsExactly("m[1]");
        assertThat(db.queue("f")).containsExactly("m[0]", "m[2]", "m[0]");
        assertThat(db.tasks(run)).containsExactly("m[0] queued 0 - -", "m[1] queued 0 - -", "m[2] queued 0 - -");
    }

    @Test
    @Tampering
    void passesATaskWithoutAMessageOver(Flows db) {
        db.define("f", "m map");
        var run = db.start("f", "[1]");
        db.run("update pgflow.step_tasks set message_id = null");

        archive(db, run, 0);

        assertThat(db.archive("f")).isEmpty();
        assertThat(db.queue("f")).containsExactly("m[0]");
    }
}
