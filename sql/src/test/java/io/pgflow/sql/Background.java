package io.pgflow.sql;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** What a session does while the test goes on with another one. */
final class Background<T> {
    private final int processId;
    private final CompletableFuture<T> result;

    private Background(int processId, CompletableFuture<T> result) {
        this.processId = processId;
        this.result = result;
    }

    static <T> Background<T> start(Flows session, Function<Flows, T> work) {
        int processId = session.processId();
        return new Background<>(
                processId, CompletableFuture.supplyAsync(() -> work.apply(session), Background::onItsOwnThread));
    }

    /** The common pool has a single thread on two cores. */
    private static void onItsOwnThread(Runnable work) {
        Thread.ofPlatform().daemon().start(work);
    }

    /** Waits until this session waits for a lock of the other one. */
    void awaitLock(Flows other) {
        awaitLock(other, other.processId());
    }

    /** The same of one that is in the background itself; a third one, idle, looks. */
    void awaitLock(Background<?> other, Flows looking) {
        awaitLock(looking, other.processId);
    }

    private void awaitLock(Flows looking, int holder) {
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!looking.holds("? = any (pg_blocking_pids(?))", holder, processId)) {
            if (result.isDone()) throw new AssertionError("did not wait: " + result.join());
            if (System.nanoTime() > limit) throw new AssertionError("session " + processId + " waits for nobody");
        }
    }

    T result() {
        return result.orTimeout(2, TimeUnit.MINUTES).join();
    }
}
