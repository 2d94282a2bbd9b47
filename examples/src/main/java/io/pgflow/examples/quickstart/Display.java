package io.pgflow.examples.quickstart;

import io.pgflow.StepState;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** What is printed about a run, until it ends or a signal comes: after that, only that it stops. Any thread may call it. */
final class Display implements AutoCloseable {
    private enum State {
        OPEN,
        STOPPED,
        CLOSED
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final PrintStream out;
    private final Progress progress;
    private final String stopping;
    private State state = State.OPEN;

    /**
     * Stops at SIGINT and SIGTERM.
     *
     * @param stopping what to say then
     */
    Display(PrintStream out, Progress progress, String stopping) {
        this.out = out;
        this.progress = progress;
        this.stopping = stopping;
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("display").unstarted(this::stop));
    }

    void line(String text) {
        print(() -> out.println(text));
    }

    void progress(List<StepState> steps, long tasksPerSecond) {
        print(() -> progress.show(steps, tasksPerSecond));
    }

    private void print(Runnable something) {
        lock.lock();
        try {
            if (state == State.OPEN) {
                something.run();
                out.flush();
            }
        } finally {
            lock.unlock();
        }
    }

    private void stop() {
        print(() -> {
            out.println();
            out.println(stopping);
            state = State.STOPPED;
        });
    }

    boolean isStopped() {
        lock.lock();
        try {
            return state == State.STOPPED;
        } finally {
            lock.unlock();
        }
    }

    /** The end: a signal has nothing to stop any more. */
    @Override
    public void close() {
        print(() -> state = State.CLOSED);
    }
}
