package io.pgflow;

import io.pgflow.internal.ClientQueries;
import io.pgflow.internal.ClientQueries.Start;
import io.pgflow.internal.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Starts runs by {@code queries}, on whatever connection these work. */
record Starts(ClientQueries queries, Json json) implements Starter {

    @Override
    public <I> UUID start(Flow<I> flow, I input) {
        return startAll(flow, List.of(input)).getFirst();
    }

    @Override
    public <I> UUID start(Flow<I> flow, I input, UUID id) {
        startAll(flow, Map.of(id, input));
        return id;
    }

    @Override
    public <I> List<UUID> startAll(Flow<I> flow, List<? extends I> inputs) {
        return start(flow, inputs, Collections.nCopies(inputs.size(), null)).stream()
                .map(Start::id)
                .toList();
    }

    @Override
    public <I> Set<UUID> startAll(Flow<I> flow, Map<UUID, ? extends I> inputs) {
        var ids = new ArrayList<UUID>();
        var values = new ArrayList<I>();
        inputs.forEach((id, input) -> {
            ids.add(id);
            values.add(input);
        });
        var fresh = new LinkedHashSet<UUID>();
        for (Start start : start(flow, values, ids)) {
            if (start.isNew()) {
                fresh.add(start.id());
            }
        }
        return fresh;
    }

    private <I> List<Start> start(Flow<I> flow, List<? extends I> inputs, List<? extends @Nullable UUID> ids) {
        List<String> texts = inputs.stream()
                .map(input -> json.write(input, flow.inputType()))
                .toList();
        return queries.start(flow.slug(), texts, ids);
    }
}
