package io.pgflow;

import java.util.StringJoiner;
import java.util.stream.Collectors;

/** Writes a flow as calls of {@code pgflow.create_flow} and {@code pgflow.add_step}, for a migration of one's own. */
final class FlowSql {

    private FlowSql() {}

    static String of(Flow<?> flow) {
        var arguments = call("create_flow", flow.slug());
        flow.maxAttempts().ifPresent(attempts -> arguments.add("max_attempts => " + attempts));
        flow.baseDelay().ifPresent(delay -> arguments.add("base_delay => " + delay.toSeconds()));
        flow.timeout().ifPresent(limit -> arguments.add("timeout => " + limit.toSeconds()));
        return arguments + flow.steps().stream().map(FlowSql::of).collect(Collectors.joining());
    }

    private static String of(Step<?> step) {
        var arguments = call("add_step", step.flowSlug());
        arguments.add("step_slug => " + literal(step.slug()));
        if (!step.dependencies().isEmpty()) {
            arguments.add(step.dependencies().stream()
                    .map(dependency -> literal(dependency.slug()))
                    .collect(Collectors.joining(", ", "deps_slugs => array[", "]")));
        }
        step.maxAttempts().ifPresent(attempts -> arguments.add("max_attempts => " + attempts));
        step.baseDelay().ifPresent(delay -> arguments.add("base_delay => " + delay.toSeconds()));
        step.timeout().ifPresent(limit -> arguments.add("timeout => " + limit.toSeconds()));
        step.startDelay().ifPresent(delay -> arguments.add("start_delay => " + delay.toSeconds()));
        if (step.isMap()) {
            arguments.add("step_type => 'map'");
        }
        step.onlyIf().ifPresent(json -> arguments.add("required_input_pattern => " + literal(json)));
        step.unless().ifPresent(json -> arguments.add("forbidden_input_pattern => " + literal(json)));
        if (step.whenUnmet() != Otherwise.SKIP) {
            arguments.add("when_unmet => " + literal(step.whenUnmet().text()));
        }
        if (step.whenExhausted() != Otherwise.FAIL) {
            arguments.add("when_exhausted => " + literal(step.whenExhausted().text()));
        }
        return arguments.toString();
    }

    private static StringJoiner call(String function, String flow) {
        return new StringJoiner(", ", "select pgflow." + function + "(", ");\n").add("flow_slug => " + literal(flow));
    }

    /** A string literal that means the same whatever {@code standard_conforming_strings} is. */
    private static String literal(String text) {
        String quoted = "'" + text.replace("'", "''") + "'";
        return quoted.contains("\\") ? "E" + quoted.replace("\\", "\\\\") : quoted;
    }
}
