package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pgflow.WorkerSnapshot.Reason;
import io.pgflow.internal.Pace.Pause;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PaceTest {

    private static final Duration THROTTLE = Duration.ofMillis(10);
    private static final Queries.Claim NOTHING = new Queries.Claim(List.of(), Optional.empty());
    private static final Pause FALLBACK = new Pause(Duration.ofSeconds(30), Reason.ANNOUNCEMENT);

    private long now = 12345;
    private boolean listening = true;

    private Pace pace(@Nullable Duration throttle) {
        return new Pace(WorkerSettings.of(Map.of(), Map.of()), throttle, () -> listening, () -> now, new Random(1));
    }

    private static Queries.Claim tasks(int number) {
        var task = new Task("f", UUID.randomUUID(), "s", 0, 1, 1, Duration.ofSeconds(60), "{}", null, Duration.ZERO);
        return new Queries.Claim(Collections.nCopies(number, task), Optional.empty());
    }

    private static Queries.Claim hidden(long millis) {
        return new Queries.Claim(List.of(), Optional.of(Duration.ofMillis(millis)));
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    @Test
    void isNoneAfterAPollThatGotAllItAskedFor() {
        for (var throttle : new Duration[] {THROTTLE, null}) {
            assertThat(pace(throttle).after(3, tasks(3)).length()).isZero();
        }
    }

    @Test
    void isOneThrottleAfterAPollThatGotSome() {
        assertThat(pace(THROTTLE).after(3, tasks(2))).isEqualTo(new Pause(THROTTLE, Reason.ANNOUNCEMENT));
    }

    @Test
    void isTheFallbackOnceTheThrottleIsOverAndASecondToo() {
        var pace = pace(THROTTLE);
        pass(Duration.ofHours(1));
        pace.announced();
        pass(Duration.ofMillis(4));

        assertThat(pace.after(3, NOTHING).length()).isEqualTo(Duration.ofMillis(6));
        pass(Duration.ofMillis(6));
        assertThat(pace.after(3, NOTHING).length())
                .as("who sent then may have committed later")
                .isEqualTo(Duration.ofMillis(990));
        pass(Duration.ofMillis(990));
        assertThat(pace.after(3, NOTHING)).isEqualTo(FALLBACK);
    }

    @Test
    void endsWhenTheNextHiddenTaskIsVisibleIfThatIsEarlier() {
        var pace = pace(THROTTLE);
        pass(Duration.ofHours(1));

        assertThat(pace.after(3, hidden(1234))).isEqualTo(new Pause(Duration.ofMillis(1234), Reason.HIDDEN_TASK));
        assertThat(pace.after(3, hidden(30_001))).isEqualTo(FALLBACK);
        assertThat(pace.after(3, hidden(0)).length())
                .as("visible, and of no use")
                .isEqualTo(Duration.ofMillis(10));
    }

    @Test
    void growsAtRandomWhereNothingIsAnnounced() {
        listening = false;
        for (var pace : List.of(pace(null), pace(THROTTLE))) {
            Duration last = Duration.ofSeconds(1);
            for (int poll = 0; poll < 100; poll++) {
                var pause = pace.after(3, NOTHING);
                assertThat(pause.reason()).isEqualTo(Reason.NEXT_POLL);
                assertThat(pause.length()).isBetween(Duration.ofSeconds(1), last.multipliedBy(3));
                assertThat(pause.length()).isLessThanOrEqualTo(Duration.ofSeconds(5));
                last = pause.length();
            }
            assertThat(pace.after(3, hidden(700)).length()).isEqualTo(Duration.ofMillis(700));
            assertThat(pace.after(3, tasks(1)).length()).as("after something").isEqualTo(Duration.ofSeconds(1));
            assertThat(pace.after(3, NOTHING).length()).isLessThanOrEqualTo(Duration.ofSeconds(3));
        }
    }

    @Test
    void growsWhileTheDatabaseDoesNotAnswerAndBeginsAnewWhenItDoes() {
        var pace = pace(THROTTLE);
        Duration last = Duration.ofMillis(100);
        Duration longest = Duration.ZERO;
        for (int poll = 0; poll < 100; poll++) {
            var pause = pace.afterFailure();
            assertThat(pause.reason()).isEqualTo(Reason.DATABASE);
            assertThat(pause.length()).isBetween(Duration.ofMillis(100), last.multipliedBy(3));
            last = pause.length();
            longest = longest.compareTo(last) > 0 ? longest : last;
        }
        assertThat(longest).isBetween(Duration.ofSeconds(3), Duration.ofSeconds(5));

        pace.after(3, NOTHING);
        assertThat(pace.afterFailure().length()).isLessThanOrEqualTo(Duration.ofMillis(300));
    }
}
