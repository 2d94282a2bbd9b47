package io.pgflow.examples;

import io.pgflow.Flow;
import io.pgflow.Workers;
import java.time.Duration;
import java.util.List;

/** Charges an order while its lines are reserved, one task a line; then confirms. */
final class FulfilOrder {
    record Order(String id, int cents, List<String> lines) {}

    record Confirmation(String payment, int parcels) {}

    static Flow<Order> flow() {
        var flow = Flow.of("fulfil_order", Order.class);
        var payment = flow.step("charge", String.class, order -> "paid " + order.cents() + " for " + order.id())
                .maxAttempts(5);
        var lines = flow.list("lines", String.class, Order::lines);
        var parcels = flow.map("reserve", String.class, lines, line -> "parcel with " + line);
        flow.step("confirm", Confirmation.class, payment, parcels, (p, all) -> new Confirmation(p, all.size()));
        return flow.build();
    }

    public static void main(String[] args) throws InterruptedException {
        var flow = flow();
        try (var workers = Workers.start(flow)) { // or Workers.run(flow), which returns after SIGTERM
            var run = workers.client().start(flow, new Order("o-1", 4200, List.of("tea", "cups", "pot")));
            System.out.println(
                    workers.client().await(run, Duration.ofMinutes(1)).output().orElseThrow());
        }
    }
}
