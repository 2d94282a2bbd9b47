package io.pgflow;

import java.math.BigDecimal;
import java.util.List;

// @start region="flow"
/** validate, then charge beside one reservation a line, then confirm. */
final class FulfilOrder {
    record Order(String id, BigDecimal total, List<Line> lines) {}

    record Line(String article, int count) {}

    record Payment(String id) {}

    record Reservation(String article, int parcels) {}

    record Confirmation(String payment, int parcels) {}

    static Flow<Order> flow(Payments payments, Stock stock) {
        var flow = Flow.of("fulfil_order", Order.class);
        var valid = flow.step("validate", Order.class, FulfilOrder::validate);
        var payment = flow.step("charge", Payment.class, valid, order -> payments.charge(order.id(), order.total()));
        var lines = flow.list("lines", Line.class, valid, Order::lines);
        var parcels = flow.map("reserve", Reservation.class, lines, stock::reserve); // one task an element
        flow.step(
                "confirm",
                Confirmation.class,
                payment,
                parcels,
                (paid, reserved) -> new Confirmation(paid.id(), reserved.size()));
        return flow.build(); // slugs and options are checked here, before any worker starts
    }
    // @end

    interface Payments {
        Payment charge(String order, BigDecimal total);
    }

    interface Stock {
        Reservation reserve(Line line);
    }

    private static Order validate(Order order) {
        if (order.lines().isEmpty()) {
            throw new IllegalArgumentException("an order has lines");
        }
        return order;
    }
}
