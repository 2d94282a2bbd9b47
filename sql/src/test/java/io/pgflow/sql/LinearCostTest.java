package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An element of a large map costs what one of a small map costs. Counted in blocks touched, since time says little on a busy machine. */
@ExtendWith(CoreDatabase.class)
class LinearCostTest {
    private static final Pattern BUFFERS = Pattern.compile("Buffers: shared(?: hit=(\\d+))?(?: read=(\\d+))?.*");

    /** All blocks of tables and indexes that the query touched, in all the functions that it called. */
    private static long blocks(Flows db, String query, @Nullable Object... arguments) {
        return db.lines("explain (analyze, buffers, costs off, timing off, summary off) " + query, arguments).stream()
                .map(String::strip)
                .map(BUFFERS::matcher)
                .filter(matcher -> matcher.matches())
                .findFirst() // of the topmost node, which has those of all others
                .map(matcher -> number(matcher.group(1)) + number(matcher.group(2)))
                .orElseThrow();
    }

    private static long number(@Nullable String digits) {
        return digits == null ? 0 : Long.parseLong(digits);
    }

    /** Elements of 96 characters that no compression makes smaller. */
    private static final String ARRAY =
            "(select jsonb_agg(md5(i || 'a') || md5(i || 'b') || md5(i || 'c')) from generate_series(1, ?) i)";

    /** Claims and completes all tasks of the flow in batches of 200, each with its input as its output. */
    private static long drain(Flows db, String flow, int tasks) {
        long blocks = 0;
        for (int done = 0; done < tasks; done += 200) {
            blocks += blocks(db, "select * from pgflow.claim_tasks(?, ?, 200)", flow, Flows.WORKER);
            var arrays = db.rows(
                            row -> new Object[] {
                                row.getArray(1), row.getArray(2), row.getArray(3), row.getArray(4), row.getArray(5)
                            },
                            """
                            select array_agg(run_id), array_agg(step_slug), array_agg(task_index), array_agg(claim_no), array_agg(input)
                            from pgflow.step_tasks where flow_slug = ? and status = 'started'""",
                            flow)
                    .getFirst();
            blocks += blocks(db, "select * from pgflow.complete_tasks(?, ?, ?, ?, ?)", arrays);
        }
        return blocks;
    }

    private static double rootMap(Flows db, int elements) {
        var flow = "root_" + elements;
        db.define(flow, "m map");
        long blocks = blocks(db, "select pgflow.start_flow(?, " + ARRAY + ")", flow, elements);
        blocks += drain(db, flow, elements);
        assertThat(db.line(
                        "select status, jsonb_array_length(output -> 'm') from pgflow.runs where flow_slug = ?", flow))
                .isEqualTo("completed " + elements);
        return (double) blocks / elements;
    }

    private static double dependentMaps(Flows db, int elements) {
        var flow = "dependent_" + elements;
        db.define(flow, """
                a
                m map: a
                n map: m
                """);
        var run = db.start(flow, "1");
        db.claimOne(flow);
        long blocks = blocks(db, "select pgflow.complete_task(?, 'a', 0, " + ARRAY + ")", run, elements);
        blocks += drain(db, flow, 2 * elements);
        assertThat(db.line(
                        "select status, jsonb_array_length(output -> 'n') from pgflow.runs where flow_slug = ?", flow))
                .isEqualTo("completed " + elements);
        return (double) blocks / elements;
    }

    @Test
    void ofARootMap(Flows db) {
        double small = rootMap(db, 1_000);
        assertThat(rootMap(db, 8_000)).isLessThan(small * 1.3);
    }

    @Test
    void ofADependentMap(Flows db) {
        double small = dependentMaps(db, 1_000);
        assertThat(dependentMaps(db, 4_000)).isLessThan(small * 1.3);
    }

    /**
     * Claiming must not read the whole array: of 4,000 elements of 1 kB, that is 500 blocks for each task. It once did, and 20 tasks cost
     * 11,000 blocks; now it is about 700, whatever the size.
     */
    @Test
    void ofAClaimFromALargeArray(Flows db) {
        db.define("f", """
                m map
                one
                n map: one
                """);
        db.run("update pgflow.flows set opt_timeout = 3600");
        double[] perClaim = new double[2];
        int[] sizes = {400, 4_000};
        for (int i = 0; i < 2; i++) {
            db.run(
                    "select pgflow.start_flow('f', (select jsonb_agg((select string_agg(md5(i || 'x' || j), '') from generate_series(1, 32) j)) from generate_series(1, ?) i))",
                    sizes[i]);
            var one = db.startTasks(
                    "f",
                    db.number(
                            "select message_id from pgflow.step_tasks where step_slug = 'one' and status = 'queued'"));
            db.run(
                    "select pgflow.complete_task(run_id, 'one', 0, input) from pgflow.runs where run_id = ?",
                    one.getFirst().run());
            assertThat(db.number(
                            "select pg_column_size(input) from pgflow.runs where run_id = ?",
                            one.getFirst().run()))
                    .as("it is large, also when compressed")
                    .isGreaterThan(sizes[i] * 700L);
            long blocks = 0;
            for (int n = 0; n < 8; n++)
                blocks += blocks(db, "select * from pgflow.claim_tasks('f', ?, 20)", Flows.WORKER);
            for (int n = 0; n < 8; n++) {
                var ids = db.rows(row -> row.getLong(1), "select msg_id from pgmq.read('f', 3600, 20)")
                        .toArray(Long[]::new);
                blocks += blocks(db, "select * from pgflow.start_tasks('f', ?, ?)", ids, Flows.WORKER);
            }
            perClaim[i] = blocks / 16.0;
            db.run("update pgmq.q_f set vt = 'infinity'"); // the next size has the queue for itself
        }
        assertThat(perClaim[1]).isLessThan(perClaim[0] * 1.5);
    }

    /** A report costs the same in a large batch, and hardly more than where what follows is enqueued, which a claim must find. */
    @Test
    void ofAReportWhoseWorkerGoesOn(Flows db) {
        var perReport = new ArrayList<Double>();
        for (int runs : new int[] {50, 1_000}) {
            var flow = "chain_" + runs;
            db.define(flow, """
                    a
                    b: a
                    """);
            db.startMany(flow, runs);
            db.claim(flow, runs);
            var reports = """
                    from (
                      select array_agg(run_id) as ids, array_agg(step_slug) as steps, array_agg(task_index) as indexes, array_agg(claim_no) as claims,
                        array_agg(to_jsonb(1)) as outputs, array_agg(last_worker_id) as workers
                      from pgflow.step_tasks where flow_slug = ? and status = 'started'
                    ) r cross join lateral pgflow.complete_tasks(r.ids, r.steps, r.indexes, r.claims, r.outputs, r.workers)""";
            perReport.add((double) blocks(db, "select * " + reports, flow) / runs);
            assertThat(db.line(
                            "select count(*), count(last_worker_id) from pgflow.step_tasks where flow_slug = ? and step_slug = 'b'",
                            flow))
                    .isEqualTo(runs + " " + runs);
        }
        assertThat(perReport.get(1)).isLessThan(perReport.get(0) * 1.3);
    }

    /** The contract's one call per task: it must not look at the other tasks of its map. */
    @Test
    void ofOneTaskCompletedAlone(Flows db) {
        db.define("f", "m map");
        long[] blocks = new long[2];
        int[] sizes = {100, 5_000};
        for (int i = 0; i < 2; i++) {
            UUID run = UUID.fromString(db.line("select run_id from pgflow.start_flow('f', " + ARRAY + ")", sizes[i]));
            db.claim("f", 10_000);
            for (int task = 0; task < 50; task++) {
                blocks[i] += blocks(db, "select * from pgflow.complete_task(?, 'm', ?, '1')", run, task);
            }
        }
        assertThat(blocks[1]).isLessThan((long) (blocks[0] * 1.3));
    }
}
