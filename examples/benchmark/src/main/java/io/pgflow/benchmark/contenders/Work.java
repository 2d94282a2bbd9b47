package io.pgflow.benchmark.contenders;

/** What there is to do in a run. */
public enum Work {
    /** One step that does nothing. */
    SINGLE("single steps"),
    /** Three such steps, one after the other. */
    CHAIN("chains of three"),
    /** Four such steps, of which two run side by side. */
    DIAMOND("diamonds"),
    /** A map over the run's input, whose tasks do nothing. */
    MAP("maps of %,d"),
    /** One step; every other one takes 5 ms. */
    MIX("single steps, half of 5 ms");

    private final String description;

    Work(String description) {
        this.description = description;
    }

    /** For people to read; with the number of elements that a map has. */
    public String description(int elements) {
        return description.formatted(elements);
    }

    /** How many tasks a run has. */
    public int tasks(int elements) {
        return switch (this) {
            case SINGLE, MIX -> 1;
            case CHAIN -> 3;
            case DIAMOND -> 4;
            case MAP -> elements;
        };
    }
}
