package io.pgflow;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The pattern of a condition: a JSON object.
 *
 * @param json its text
 * @param members the names at its top level
 */
record Condition(String json, Set<String> members) {

    // What a record leaves null is not asked for; the null of a Map is.
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .changeDefaultPropertyInclusion(any -> JsonInclude.Value.construct(Include.NON_NULL, Include.ALWAYS))
            .build();

    /**
     * The pattern that a value stands for.
     *
     * @throws IllegalArgumentException if Jackson makes something else than an object of it
     */
    static Condition of(Object value) {
        JsonNode tree;
        try {
            tree = MAPPER.valueToTree(value);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(e.getOriginalMessage(), e);
        }
        if (!tree.isObject()) {
            throw new IllegalArgumentException("it is of type " + tree.getNodeType());
        }
        return new Condition(tree.toString(), Set.copyOf(tree.propertyNames()));
    }
}
