package io.pgflow;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.util.RawValue;

/** Writes a flow as the shape document that {@code pgflow.ensure_flow_compiled} takes. */
final class FlowShape {

    private static final JsonMapper MAPPER = new JsonMapper();

    private FlowShape() {}

    static String of(Flow<?> flow) {
        var options = new LinkedHashMap<String, Object>();
        flow.maxAttempts().ifPresent(attempts -> options.put("maxAttempts", attempts));
        flow.baseDelay().ifPresent(delay -> options.put("baseDelay", delay.toSeconds()));
        flow.timeout().ifPresent(limit -> options.put("timeout", limit.toSeconds()));

        var shape = new LinkedHashMap<String, Object>();
        shape.put("steps", flow.steps().stream().map(FlowShape::of).toList());
        if (!options.isEmpty()) {
            shape.put("options", options);
        }
        return MAPPER.writeValueAsString(shape);
    }

    private static Map<String, Object> of(Step<?> step) {
        var options = new LinkedHashMap<String, Object>();
        step.maxAttempts().ifPresent(attempts -> options.put("maxAttempts", attempts));
        step.baseDelay().ifPresent(delay -> options.put("baseDelay", delay.toSeconds()));
        step.timeout().ifPresent(limit -> options.put("timeout", limit.toSeconds()));
        step.startDelay().ifPresent(delay -> options.put("startDelay", delay.toSeconds()));

        var shape = new LinkedHashMap<String, Object>();
        shape.put("slug", step.slug());
        shape.put("stepType", step.isMap() ? "map" : "single");
        shape.put(
                "dependencies",
                step.dependencies().stream().map(Step::slug).sorted().toList());
        shape.put("whenUnmet", step.whenUnmet().text());
        shape.put("whenExhausted", step.whenExhausted().text());
        shape.put("requiredInputPattern", pattern(step.onlyIf()));
        shape.put("forbiddenInputPattern", pattern(step.unless()));
        if (!options.isEmpty()) {
            shape.put("options", options);
        }
        return shape;
    }

    private static Map<String, Object> pattern(Optional<String> json) {
        var pattern = new LinkedHashMap<String, Object>();
        pattern.put("defined", json.isPresent());
        json.ifPresent(text -> pattern.put("value", new RawValue(text)));
        return pattern;
    }
}
