package io.pgflow.examples.quickstart;

import io.pgflow.Flow;
import io.pgflow.Step;
import io.pgflow.StepState;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** For terminals: a line for each step, written over in place, with a bar for maps. No line is longer than 80 columns. */
final class LiveProgress implements Progress {
    private static final String CLEAR_REST = "\u001b[K";
    private static final int BAR = 28;

    private final Flow<?> flow;
    private final PrintStream out;
    private final int slugWidth;
    private final char full;
    private final char empty;
    private final AtomicInteger drawn = new AtomicInteger(); // lines, right above the cursor

    LiveProgress(Flow<?> flow, PrintStream out) {
        this.flow = flow;
        this.out = out;
        this.slugWidth = flow.steps().stream()
                .mapToInt(step -> step.slug().length())
                .max()
                .orElse(0);
        boolean blocks = out.charset().newEncoder().canEncode("█░");
        this.full = blocks ? '█' : '#';
        this.empty = blocks ? '░' : '.';
    }

    @Override
    public void show(List<StepState> steps, long tasksPerSecond) {
        var text = new StringBuilder();
        int above = drawn.getAndSet(steps.size());
        if (above > 0) {
            text.append("\u001b[").append(above).append('A'); // up
        }
        for (StepState step : steps) {
            text.append("\r  ")
                    .append(step.slug())
                    .repeat(' ', slugWidth - step.slug().length() + 3)
                    .append(status(step, tasksPerSecond))
                    .append(CLEAR_REST)
                    .append('\n');
        }
        out.print(text);
        out.flush();
    }

    /** Another stream to the terminal. What is written to it stays, and the steps are drawn anew below. */
    PrintStream beside(PrintStream other) {
        return new PrintStream(
                new FilterOutputStream(other) {
                    @Override
                    public void write(byte[] bytes, int offset, int length) throws IOException {
                        drawn.set(0);
                        out.write(bytes, offset, length);
                    }
                },
                true,
                other.charset());
    }

    private String status(StepState step, long tasksPerSecond) {
        boolean bar = step.tasks().isPresent()
                && flow.step(step.slug()).map(Step::isMap).orElse(false);
        return switch (step.status()) {
            case CREATED -> "waits";
            case STARTED -> bar ? bar(step) + "  " + Numbers.of(tasksPerSecond) + "/s" : "runs";
            case COMPLETED -> bar ? bar(step) + "  " + Progress.took(step) : "done  " + Progress.took(step);
            case SKIPPED -> "skipped";
            case FAILED -> "failed";
        };
    }

    private String bar(StepState step) {
        int tasks = step.tasks().orElse(0);
        int done = tasks - step.remainingTasks();
        int length = tasks == 0 ? BAR : (int) ((long) BAR * done / tasks);
        return new StringBuilder()
                .repeat(full, length)
                .repeat(empty, BAR - length)
                .append("  " + Numbers.of(done) + " of " + Numbers.of(tasks))
                .toString();
    }
}
