package io.pgflow;

/** What becomes of a step whose condition is not met, or whose attempts are exhausted. */
public enum Otherwise {
    /** The step fails, and the run with it. */
    FAIL("fail"),

    /**
     * The step is skipped and the run goes on: a step that reads it gets an empty {@link java.util.Optional}, a map over it
     * has no elements.
     */
    SKIP("skip"),

    /** The step is skipped together with every step behind it, and the rest of the run goes on. */
    SKIP_CASCADE("skip-cascade");

    private final String text;

    Otherwise(String text) {
        this.text = text;
    }

    /**
     * The database's word for it.
     *
     * @return {@code fail}, {@code skip} or {@code skip-cascade}
     */
    public String text() {
        return text;
    }
}
