package io.pgflow.internal;

import io.pgflow.RunningWorkers;
import io.pgflow.WorkerEvent;
import io.pgflow.WorkerListener;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings events to one listener, on a thread of its own. Whoever has one to tell never waits: what finds no room is dropped and counted. */
final class Delivery {

    private static final Logger log = LoggerFactory.getLogger(Delivery.class);

    /** How many events may wait. */
    static final int ROOM = 10_000;

    private final WorkerListener listener;
    private final Queue<WorkerEvent> waiting = new ConcurrentLinkedQueue<>();
    private final Semaphore room = new Semaphore(ROOM);
    private final Semaphore queued = new Semaphore(0);
    private final AtomicLong dropped = new AtomicLong();
    private final Thread thread;
    private volatile boolean abandoned;
    private final AtomicLong failed = new AtomicLong();

    /** Starts the thread. */
    Delivery(WorkerListener listener) {
        this.listener = listener;
        this.thread = Thread.ofPlatform().daemon().name("pgflow-events").start(this::run);
    }

    /** Takes an event, for later. Any thread may call it, and none waits. */
    void add(WorkerEvent event) {
        if (room.tryAcquire()) {
            waiting.add(event);
            queued.release();
        } else {
            long number = dropped.incrementAndGet();
            if (isNoteworthy(number)) {
                log.warn("{}", line("events_dropped").with("dropped", number).with("waiting", ROOM));
            }
        }
    }

    /** How many events were dropped. */
    long dropped() {
        return dropped.get();
    }

    private void run() {
        try {
            while (!abandoned) {
                queued.acquire();
                WorkerEvent event = waiting.poll();
                if (event == null) {
                    return; // close() has released one more than there are
                }
                room.release();
                tell(event);
            }
        } catch (InterruptedException e) {
            // only await() interrupts this thread
        }
    }

    /** Gives the workers to the listener, on the calling thread. */
    void introduce(RunningWorkers workers) {
        attempt(() -> listener.started(workers));
    }

    private void tell(WorkerEvent event) {
        attempt(() -> listener.on(event));
    }

    /** A call of the listener. */
    private interface Call {
        void make() throws Exception;
    }

    private void attempt(Call call) {
        try {
            call.make();
        } catch (Throwable e) { // errors too: the next event may be another matter
            long number = failed.incrementAndGet();
            if (isNoteworthy(number)) {
                log.warn(
                        "{}",
                        line("listener_failed").with("failures", number).with("error", ErrorText.say(e)),
                        PrintableError.of(e));
            }
        }
    }

    /** The first, the second, the fourth and so on: a listener that is always too slow, or always wrong, must not fill the log. */
    private static boolean isNoteworthy(long number) {
        return Long.bitCount(number) == 1;
    }

    /** Add nothing more: the thread ends when what waits was told. */
    void close() {
        queued.release();
    }

    /** Waits for the end of the thread, no longer than the limit; then the listener is interrupted, and what is left dropped. */
    void await(Duration limit) throws InterruptedException {
        if (!Thread.currentThread().equals(thread) && !thread.join(limit)) {
            log.warn("{}", line("events_undelivered").with("events", waiting.size()));
            abandoned = true;
            thread.interrupt();
        }
    }

    private LogLine line(String event) {
        return LogLine.of(event).with("listener", listener.getClass().getName());
    }
}
