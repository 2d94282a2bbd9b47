package io.pgflow.sql.model;

import static io.pgflow.sql.model.Model.shown;

import org.jspecify.annotations.Nullable;

/** A task and its message. */
final class Task {
    /** Where its message is. */
    enum Place {
        QUEUE,
        ARCHIVE
    }

    final StepRun of;
    final int index;
    /** The number of its message among those of its run. */
    int message;

    String status = "queued";
    int attempts;
    int claim;
    int requeued;
    boolean givenUp;

    @Nullable
    Json output;

    @Nullable
    String error;

    @Nullable
    String worker;
    /** Seconds since it was started, as far as somebody turned its clock back. */
    int startedAgo;

    Place place = Place.QUEUE;
    boolean wasRead;
    /** Seconds until its message is visible; 0: it is. */
    int hidden;

    Task(StepRun of, int index, int message) {
        this.of = of;
        this.index = index;
        this.message = message;
        hidden = of.step.startDelay();
    }

    boolean is(String state) {
        return status.equals(state);
    }

    boolean isOpen() {
        return is("queued") || is("started");
    }

    boolean isInQueue() {
        return place == Place.QUEUE;
    }

    boolean isVisible() {
        return place == Place.QUEUE && hidden == 0;
    }

    void start(String by, int hiddenFor) {
        status = "started";
        attempts++;
        claim++;
        startedAgo = 0;
        worker = by;
        hidden = hiddenFor;
        wasRead = true;
    }

    void complete(@Nullable Json result) {
        status = "completed";
        output = result;
        archive();
    }

    void fail(@Nullable String message) {
        status = "failed";
        error = message;
        archive();
    }

    void queueAgain(int hiddenFor) {
        status = "queued";
        hidden = hiddenFor;
    }

    void archive() {
        place = Place.ARCHIVE;
    }

    String line(String step) {
        return "%s[%d] %s attempts %d claim %d requeued %d%s output %s error %s worker %s message %d %s"
                .formatted(
                        step,
                        index,
                        status,
                        attempts,
                        claim,
                        requeued,
                        givenUp ? " given up" : "",
                        shown(output),
                        shown(error),
                        shown(worker),
                        message,
                        isInQueue() ? Core.coarse(hidden) : "archived");
    }
}
