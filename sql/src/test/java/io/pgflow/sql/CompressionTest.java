package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Of large documents: by LZ4 where the server can, as those of distributions and official images do. The embedded one cannot. */
@ExtendWith(CoreDatabase.class)
class CompressionTest {

    @Test
    void isLz4WhereTheServerHasIt(Flows db) {
        db.define("f", "m map");
        var best = db.line("""
                select case when 'lz4' = any (enumvals) then 'lz4' else 'pglz' end
                from pg_settings
                where name = 'default_toast_compression'""");
        var text = "a text of which there is a lot ".repeat(200);
        var run = db.start("f", "[\"" + text + "\"]");
        db.complete(db.claimOne("f"), "\"" + text + "\"");

        assertThat(db.line("""
                select pg_column_compression(r.input), pg_column_compression(r.output), pg_column_compression(s.output),
                  pg_column_compression(t.input), pg_column_compression(t.output)
                from pgflow.runs r
                join pgflow.step_states s using (run_id)
                join pgflow.step_tasks t using (run_id)
                where run_id = '%s'""".formatted(run))).isEqualTo("x x x x x".replace("x", best));
    }
}
