package io.pgflow;

import java.util.List;

/** The values that one call of a handler reads, asked for by the sources that its step names. */
public final class Inputs {

    private final Step<?> step;
    private final List<?> arguments;

    Inputs(Step<?> step, List<?> arguments) {
        if (arguments.size() != step.sources().size()) {
            throw new IllegalArgumentException("%s reads %d sources; %d values came"
                    .formatted(step, step.sources().size(), arguments.size()));
        }
        this.step = step;
        this.arguments = arguments;
    }

    /**
     * The value of a source.
     *
     * @param source one that the step named when it was defined
     * @param <T> what the source holds
     * @return its value; {@code null} if that is what the earlier step returned
     * @throws IllegalArgumentException if the step does not read this source
     */
    public <T> T get(Source<T> source) {
        return value(source);
    }

    /** The argument for a source as the type that the caller knows it has: for the list that a map reads, an element's. */
    @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"
    }) // a handler's null output is its readers' null
    <T> T value(Source<?> source) {
        int at = step.sources().indexOf(source);
        if (at < 0) {
            throw new IllegalArgumentException(
                    "%s does not read %s: name it among its sources".formatted(step, source));
        }
        return (T) arguments.get(at);
    }
}
