package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CoreDatabase.class)
class IsValidSlugTest {

    @ParameterizedTest
    @ValueSource(strings = {"a", "_", "fetch_html", "_private", "MixedCase", "a1", "runs", "Run", "RUN"})
    void acceptsLettersDigitsAndUnderscores(String slug, Flows db) {
        assertThat(db.line("select pgflow.is_valid_slug(?)", slug)).isEqualTo("t");
    }

    @ParameterizedTest
    @NullAndEmptySource
    @ValueSource(
            strings = {
                "run",
                "test-slug",
                "test slug",
                " a",
                "a ",
                "123test",
                "1",
                "a.b",
                "a;b",
                "a'b",
                "a\"b",
                "a$b",
                "naïve",
                "步",
                "a\nb",
                "a\n"
            })
    void refusesEverythingElseAndIsNeverNull(@Nullable String slug, Flows db) {
        assertThat(db.line("select pgflow.is_valid_slug(?)", slug)).isEqualTo("f");
    }

    @Test
    void allows128Characters(Flows db) {
        assertThat(db.line("select pgflow.is_valid_slug(?)", "a".repeat(128))).isEqualTo("t");
        assertThat(db.line("select pgflow.is_valid_slug(?)", "a".repeat(129))).isEqualTo("f");
    }
}
