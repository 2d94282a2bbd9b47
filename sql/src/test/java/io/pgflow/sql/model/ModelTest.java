package io.pgflow.sql.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.sql.Schema;
import io.pgflow.sql.model.Play.Difference;
import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.TestDatabases;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Random workflows, step by step on the database and in a model of the contract, with everything that can be seen compared after each step.
 * {@code -Dpgflow.model.count} says how many, {@code -Dpgflow.model.seed} from which seed on: a failure names both for its scenario alone.
 */
@ExtendWith(TestDatabases.class)
class ModelTest {
    private static final int COUNT = Integer.getInteger("pgflow.model.count", 2000);
    private static final long FIRST = Long.getLong("pgflow.model.seed", System.nanoTime());
    private static final int TRIES_TO_SHRINK = 500;

    /** What must have happened somewhere, or the scenarios have become too tame to be of use. */
    private static final List<String> EVENTFUL = List.of(
            " completed remaining 0 output {",
            " completed remaining 0 output -",
            " failed remaining ",
            "condition_unmet",
            "dependency_skipped",
            "handler_failed",
            "by hand",
            "Condition not met",
            "TYPE_VIOLATION",
            "P0001",
            "23502",
            "23505",
            "retrying in visible",
            "retrying in hidden",
            " late ",
            "ready t",
            "run completed",
            "run failed",
            "requeued 3",
            "given up",
            Core.GIVEN_UP,
            " new f",
            " timeout 20000 input {", // handed over
            "archived");

    private final AtomicLong next = new AtomicLong(FIRST);
    private final Set<String> seen = ConcurrentHashMap.newKeySet();

    @Test
    void theSqlDoesWhatTheModelDoes(DataSource one, @EmptyDatabase DataSource other) {
        Schema.migrate(other);
        // one at a time on each, as recovery looks at all there is
        var halves = Stream.of(one, other)
                .map(database -> CompletableFuture.runAsync(() -> check(database), ModelTest::onItsOwnThread))
                .toList();
        halves.forEach(CompletableFuture::join);
        if (COUNT >= 1000) assertThat(seen).containsExactlyInAnyOrderElementsOf(EVENTFUL);
    }

    private static void onItsOwnThread(Runnable work) {
        Thread.ofPlatform().daemon().start(work);
    }

    private void check(DataSource database) {
        try (var core = new Core(database)) {
            for (long seed = next.getAndIncrement(); seed - FIRST < COUNT; seed = next.getAndIncrement()) {
                if (seed % 20 == 0) core.tidy();
                check(seed, core);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } finally {
            next.addAndGet(COUNT); // where this one failed, the other need not go on
        }
    }

    private void check(long seed, Core core) throws SQLException {
        try {
            var lines = new Play(Scenario.of(seed), core).run();
            EVENTFUL.stream()
                    .filter(event -> !seen.contains(event))
                    .filter(event -> lines.stream().anyMatch(line -> line.contains(event)))
                    .forEach(seen::add);
        } catch (Difference difference) {
            var smallest = shrink(Scenario.of(seed), difference, core);
            throw new AssertionError(
                    "-Dpgflow.model.seed=%d -Dpgflow.model.count=1\n%s".formatted(seed, smallest.getMessage()),
                    smallest);
        } catch (SQLException e) {
            throw new SQLException("-Dpgflow.model.seed=%d -Dpgflow.model.count=1".formatted(seed), e);
        }
    }

    /** The difference of the smallest scenario that still has one. */
    private static Difference shrink(Scenario scenario, Difference difference, Core core) throws SQLException {
        int tries = 0;
        for (boolean smaller = true; smaller; ) {
            smaller = false;
            for (var candidate : (Iterable<Scenario>) scenario.smaller()::iterator) {
                if (++tries > TRIES_TO_SHRINK) return difference;
                try {
                    new Play(candidate, core).run();
                } catch (Difference same) {
                    scenario = candidate;
                    difference = same;
                    smaller = true;
                    break;
                }
            }
        }
        return difference;
    }
}
