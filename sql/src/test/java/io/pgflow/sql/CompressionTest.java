package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Of large documents: by LZ4 where the server can, as those of distributions and official images do. The embedded one cannot, and stores them as they are.
 */
@ExtendWith(CoreDatabase.class)
class CompressionTest {

    @Test
    void isLz4OrNone(Flows db) {
        db.define("f", "m map");
        var best = db.line("""
                select case when 'lz4' = any (enumvals) then 'lz4' else 'none' end
                from pg_settings
                where name = 'default_toast_compression'""");
        var text = "a text of which there is a lot ".repeat(200);
        var run = db.start("f", "[\"" + text + "\"]");
        db.complete(db.claimOne("f"), "\"" + text + "\"");

        assertThat(db.line("""
                select string_agg(coalesce(pg_column_compression(x.document), 'none'), ' ')
                from pgflow.runs r
                join pgflow.step_states s using (run_id)
                join pgflow.step_tasks t using (run_id)
                cross join lateral (values (r.input), (r.output), (s.output), (t.input), (t.output)) x (document)
                where run_id = '%s'""".formatted(run))).isEqualTo("x x x x x".replace("x", best));
    }
}
