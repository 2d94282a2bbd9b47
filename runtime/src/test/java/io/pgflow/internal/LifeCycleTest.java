package io.pgflow.internal;

import static io.pgflow.WorkerState.CREATED;
import static io.pgflow.WorkerState.DEPRECATED;
import static io.pgflow.WorkerState.RUNNING;
import static io.pgflow.WorkerState.STARTING;
import static io.pgflow.WorkerState.STOPPED;
import static io.pgflow.WorkerState.STOPPING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pgflow.WorkerState;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LifeCycleTest {

    private static final Map<WorkerState, Set<WorkerState>> MOVES = Map.of(
            CREATED, Set.of(STARTING),
            STARTING, Set.of(RUNNING, STOPPING),
            RUNNING, Set.of(DEPRECATED, STOPPING),
            DEPRECATED, Set.of(STOPPING),
            STOPPING, Set.of(STOPPED),
            STOPPED, Set.of());

    private static final Map<WorkerState, List<WorkerState>> WAY_TO = Map.of(
            CREATED, List.of(),
            STARTING, List.of(STARTING),
            RUNNING, List.of(STARTING, RUNNING),
            DEPRECATED, List.of(STARTING, RUNNING, DEPRECATED),
            STOPPING, List.of(STARTING, STOPPING),
            STOPPED, List.of(STARTING, RUNNING, STOPPING, STOPPED));

    private Instant now = Instant.EPOCH;

    private LifeCycle in(WorkerState state) {
        var life = new LifeCycle(() -> now);
        WAY_TO.getOrDefault(state, List.of()).forEach(life::moveTo);
        assertThat(life.is(state)).isTrue();
        return life;
    }

    @ParameterizedTest
    @EnumSource
    void movesAsItMayAndRefusesTheRestNamingBothStates(WorkerState state) {
        for (WorkerState next : WorkerState.values()) {
            var life = in(state);
            if (next == state) {
                assertThat(life.moveTo(next)).as("%s again", state).isFalse();
            } else if (MOVES.getOrDefault(state, Set.of()).contains(next)) {
                assertThat(life.moveTo(next)).isTrue();
                assertThat(life.is(next)).isTrue();
            } else {
                assertThatThrownBy(() -> life.moveTo(next))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("a worker that is %s cannot become %s", state, next);
                assertThat(life.is(state)).isTrue();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void stopsFromWhereverItCan(WorkerState state) {
        var life = in(state);

        life.stop();

        assertThat(life.phase().state())
                .isEqualTo(MOVES.getOrDefault(state, Set.of()).contains(STOPPING) ? STOPPING : state);
    }

    @Test
    void knowsSinceWhen() {
        var life = in(STARTING);
        now = Instant.ofEpochSecond(5);
        life.moveTo(STARTING);
        assertThat(life.phase().since()).isEqualTo(Instant.EPOCH);

        life.moveTo(RUNNING);
        assertThat(life.phase().since()).isEqualTo(now);
    }
}
