package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LogLineTest {

    @Test
    void isAnEventAndPairs() {
        var run = UUID.fromString("018f0000-0000-7000-8000-000000000001");
        var task = new Task("orders", run, "charge", 3, 2, 7, Duration.ofSeconds(60), "{}", null, Duration.ZERO);

        assertThat(LogLine.of("task_failed").with(task).with("took", Duration.ofMillis(1500)))
                .hasToString(
                        "event=task_failed flow=orders run=018f0000-0000-7000-8000-000000000001 step=charge index=3 attempt=2 took_ms=1500");
    }

    @Test
    void leavesOutWhatThereIsNot() {
        assertThat(LogLine.of("x").with("a", (Object) null).with("b", 1)).hasToString("event=x b=1");
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            plain-text_1.0/@+:[x]  | plain-text_1.0/@+:[x]
            two words              | "two words"
            a=b                    | "a=b"
            say "no"               | "say \\"no\\""
            C:\\temp               | "C:\\\\temp"
            „Größe“                | "„Größe“"
            """, delimiter = '|')
    void quotesWhatIsNotPlain(String value, String shown) {
        assertThat(LogLine.of("x").with("k", value)).hasToString("event=x k=" + shown);
    }

    @Test
    void quotesNothing() {
        assertThat(LogLine.of("x").with("k", "")).hasToString("event=x k=\"\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x\n12:00:00 ERROR event=forged",
                "x\r\nevent=forged",
                "x\u0085y",
                "x\u2028y",
                "x\u2029y",
                "x\u000by",
                "x\u001b[2Ky", // clears the terminal's line
                "x\by",
                "x\u0000y",
                "x\u202ey", // writes from right to left
                "x\ud800y",
                "x\" forged=\"1",
                "x\\\" forged=\"1",
            })
    void cannotBeForgedByAValue(String value) {
        var line = LogLine.of("x").with("k", value).with("last", 1).toString();

        assertThat(line.codePoints()).allMatch(c -> c >= ' ' && c < 127);
        assertThat(line).matches("event=x k=\"([^\"\\\\]|\\\\.)*\" last=1");
    }

    @Test
    void keepsCharactersBeyondTheFirstPlane() {
        assertThat(LogLine.of("x").with("k", "😀")).hasToString("event=x k=\"😀\"");
    }

    @Test
    void cutsLongValues() {
        assertThat(LogLine.of("x").with("k", "y".repeat(1_000_000)).toString()).hasSizeLessThan(1_100);
    }

    @Test
    void printsAnExceptionThatSaysNothingBadAsItself() {
        var thrown = new IllegalStateException("bad \"card\"", new RuntimeException("cause"));

        assertThat(PrintableError.of(thrown)).isSameAs(thrown);
    }

    @Test
    void printsNoLineThatAnExceptionForges() {
        var cause = new RuntimeException("cause");
        cause.addSuppressed(new IllegalArgumentException("x\nevent=forged"));
        var thrown = new IllegalStateException("fine", cause);
        cause.initCause(thrown); // a circle

        var printed = PrintableError.of(thrown);

        assertThat(printed).hasMessage("java.lang.IllegalStateException: fine");
        assertThat(printed.getStackTrace()).isEqualTo(thrown.getStackTrace());
        assertThat(printed)
                .cause()
                .hasMessage("java.lang.RuntimeException: cause")
                .satisfies(e -> assertThat(e.getSuppressed())
                        .extracting(Throwable::getMessage)
                        .containsExactly("java.lang.IllegalArgumentException: x\\nevent=forged"));
        assertThat(PrintableError.of(new Error("y".repeat(1_000_000))).getMessage())
                .hasSizeLessThan(1_100);
    }

    @Test
    @SuppressWarnings({"NullAway", "OverrideThrowableToString"})
    void printsExceptionsThatCannotEvenSayWhatTheyAre() {
        var thrown = new RuntimeException() {
            @Override
            public String getMessage() {
                throw new IllegalStateException("broken too");
            }
        };

        assertThat(ErrorText.of(thrown)).startsWith(thrown.getClass().getName() + ", which cannot say more");

        var silent = new RuntimeException() {
            @Override
            public String toString() {
                return getMessage(); // null
            }

            @Override
            public synchronized Throwable getCause() {
                throw new LinkageError("broken too");
            }
        };

        assertThat(ErrorText.of(silent)).isEqualTo(silent.getClass().getName());
        assertThat(PrintableError.of(silent)).hasMessage(silent.getClass().getName());
    }
}
