package io.pgflow.internal;

import io.pgflow.Source;
import io.pgflow.Step;
import io.pgflow.TaskContext;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Binds the JSON of tasks and runs to Java values, by Jackson. Any thread may call it. */
public final class Json {

    private static final int LONGEST_NUMBER =
            150_000; // PostgreSQL's numeric has up to 131,072 digits before the point, 16,383 after

    private final JsonMapper mapper;

    /** Binds by Jackson's defaults with its modules on the class path, but keeps every digit and refuses what has no JSON. */
    public Json() {
        this(JsonMapper.builder(JsonFactory.builder()
                        .streamReadConstraints(StreamReadConstraints.builder()
                                .maxNumberLength(LONGEST_NUMBER)
                                .maxStringLength(Integer.MAX_VALUE)
                                .maxNameLength(Integer.MAX_VALUE)
                                .build())
                        .build())
                .findAndAddModules()
                .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .enable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
                .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
                .build());
    }

    /** Binds as a mapper of the user's does. */
    public Json(JsonMapper mapper) {
        this.mapper = mapper;
    }

    /**
     * The arguments for a task's handler, from what {@code pgflow.start_tasks} gives.
     *
     * @param input of a map the element; of a single step with dependencies an object of the outputs of those that
     *     completed, by slug; of a root step not looked at
     * @param flowInput the run's input; asked for only if the step reads it and is not a map
     * @return a value for each of the step's sources, in their order
     * @throws IllegalArgumentException if a value does not fit its type
     * @throws IllegalStateException if a step was skipped whose output this one cannot do without
     */
    public List<@Nullable Object> arguments(
            Step<?> step, @Nullable String input, Supplier<String> flowInput, TaskContext context) {
        Map<String, @Nullable Object> outputs =
                step.isMap() || step.dependencies().isEmpty() ? Map.of() : outputs(step, required(step, input));
        var arguments = new ArrayList<@Nullable Object>();
        for (Source<?> source : step.sources()) {
            arguments.add(
                    switch (source) {
                        case Source.Context any -> context;
                        case Source.Input<?> in when step.isMap() -> element(step, source, in.type(), input);
                        case Source.Input<?> in -> parse(flowInput.get(), type(in.type()), source);
                        case Step<?> list when step.isMap() -> element(step, source, list.type(), input);
                        case Step<?> earlier -> present(step, earlier, outputs);
                        case Source.Maybe<?> maybe ->
                            Optional.ofNullable(outputs.get(maybe.step().slug()));
                    });
        }
        return arguments;
    }

    private @Nullable Object element(Step<?> step, Source<?> source, Type list, @Nullable String input) {
        return parse(required(step, input), type(list).getContentType(), "an element of " + source);
    }

    private static String required(Step<?> step, @Nullable String input) {
        if (input == null) {
            throw new IllegalStateException("the task of " + step + " came without input");
        }
        return input;
    }

    private static @Nullable Object present(Step<?> step, Step<?> earlier, Map<String, @Nullable Object> outputs) {
        if (!outputs.containsKey(earlier.slug())) {
            throw new IllegalStateException(
                    "%s reads step '%s', which was skipped: read it with .optional()".formatted(step, earlier.slug()));
        }
        return outputs.get(earlier.slug());
    }

    /** Reads each output straight into its type, in one pass; what no source names is passed over. */
    private Map<String, @Nullable Object> outputs(Step<?> step, String input) {
        Map<String, Step<?>> read =
                step.dependencies().stream().collect(Collectors.toMap(Step::slug, dependency -> dependency));
        var outputs = new HashMap<String, @Nullable Object>();
        Object at = "the input of " + step;
        try (var parser = mapper.createParser(input)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException(at + " is no object with a member for each dependency");
            }
            for (String slug = parser.nextName(); slug != null; slug = parser.nextName()) {
                parser.nextToken();
                Step<?> dependency = read.get(slug);
                if (dependency == null) {
                    parser.skipChildren();
                } else {
                    at = dependency;
                    outputs.put(slug, parser.readValueAs(type(dependency.type())));
                }
            }
            return outputs;
        } catch (JacksonException e) {
            throw unreadable(at, e);
        }
    }

    /**
     * The JSON of what a handler returned.
     *
     * @throws IllegalArgumentException if there is none, or {@code jsonb} cannot hold it
     */
    public String output(Step<?> step, @Nullable Object value) {
        return format(value, step.taskType(), "the output of " + step);
    }

    /**
     * Reads a value.
     *
     * @param type a class, or another type that Jackson knows; {@code T} must be the same
     * @return the value; {@code null} for JSON's {@code null}
     * @throws IllegalArgumentException if it does not fit the type
     */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // the types of steps are known at run time only
    public <T> @Nullable T read(String json, Type type) {
        return (T) parse(json, type(type), "a value");
    }

    /**
     * Writes a value by its own class.
     *
     * @throws IllegalArgumentException if it has no JSON, or {@code jsonb} cannot hold it
     */
    public String write(@Nullable Object value) {
        return write(value, Object.class);
    }

    /**
     * Writes a value; the type matters for lists, whose own class does not tell what their elements are declared as.
     *
     * @throws IllegalArgumentException if it has no JSON, or {@code jsonb} cannot hold it
     */
    public String write(@Nullable Object value, Type type) {
        return format(value, type, "a value");
    }

    private String format(@Nullable Object value, Type type, Object subject) {
        try {
            var writer = type instanceof Class ? mapper.writer() : mapper.writerFor(type(type));
            return Jsonb.checked(writer.writeValueAsString(value));
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    "%s cannot be written as JSON: %s".formatted(subject, e.getMessage()), e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("%s cannot be stored: %s".formatted(subject, e.getMessage()), e);
        }
    }

    private @Nullable Object parse(String json, JavaType type, Object subject) {
        try {
            return mapper.readValue(json, type);
        } catch (JacksonException e) {
            throw unreadable(subject, e);
        }
    }

    private static IllegalArgumentException unreadable(Object subject, JacksonException e) {
        return new IllegalArgumentException("%s cannot be read: %s".formatted(subject, e.getMessage()), e);
    }

    private JavaType type(Type type) {
        return mapper.constructType(type);
    }
}
