package io.pgflow;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What this library throws. Each kind has its facts as accessors, and a message that says what to do. */
@SuppressWarnings("serial") // the facts are plain values; nobody sends these over a wire
public abstract sealed class PgflowException extends RuntimeException {

    private PgflowException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** A definition breaks a rule; thrown while it is made. */
    public static final class InvalidFlow extends PgflowException {
        private final String flow;
        private final @Nullable String step;
        private final String rule;

        /** A flow, one of its steps unless the rule is about the flow, and the rule it breaks. */
        public InvalidFlow(String flow, @Nullable String step, String rule) {
            super("flow '" + flow + "'" + (step == null ? "" : ", step '" + step + "'") + ": " + rule, null);
            this.flow = flow;
            this.step = step;
            this.rule = rule;
        }

        /** The slug of the flow. */
        public String flow() {
            return flow;
        }

        /** The slug of the step; empty if the rule is about the flow. */
        public Optional<String> step() {
            return Optional.ofNullable(step);
        }

        /** The rule, and how it is broken. */
        public String rule() {
            return rule;
        }
    }

    /** The database has a flow of this slug in another shape. */
    public static final class FlowMismatch extends PgflowException {
        private final String flow;
        private final List<String> differences;

        /** A flow and the texts of {@code pgflow._compare_flow_shapes}, the code's shape being the first. */
        public FlowMismatch(String flow, List<String> differences) {
            super(
                    "flow '%s' differs from the one in the database (second): %s. Compile it again, or deploy the code that matches."
                            .formatted(flow, String.join("; ", differences)),
                    null);
            this.flow = flow;
            this.differences = List.copyOf(differences);
        }

        /** The slug of the flow. */
        public String flow() {
            return flow;
        }

        /** What differs, the code's shape being the first and the database's the second. */
        public List<String> differences() {
            return differences;
        }
    }

    /** The database does not have a flow, and the start was told to write nothing. */
    public static final class FlowMissing extends PgflowException {
        private final String flow;

        /** A flow. */
        public FlowMissing(String flow) {
            super(
                    "flow '%s' is not in the database, and option compile is 'verify'. Deploy what its toSql() gives, or have it written by setting compile to 'missing'."
                            .formatted(flow),
                    null);
            this.flow = flow;
        }

        /** The slug of the flow. */
        public String flow() {
            return flow;
        }
    }

    /** No connection to the database. */
    public static final class DatabaseUnavailable extends PgflowException {
        private final String url;

        /** A URL without its password, and the driver's error. */
        public DatabaseUnavailable(String url, Throwable cause) {
            super(
                    "no connection to the database at %s: %s. Check that it runs, and the URL, user and password."
                            .formatted(url, cause.getMessage()),
                    cause);
            this.url = url;
        }

        /** Where the database was looked for, without the password. */
        public String url() {
            return url;
        }
    }

    /** The database is there, but refused something that a start needs. */
    public static final class DatabaseRefused extends PgflowException {
        private final String url;

        /** A URL without its password, what was tried, and the driver's error. */
        public DatabaseRefused(String url, String what, Throwable cause) {
            super("the database at %s refused to %s: %s".formatted(url, what, cause.getMessage()), cause);
            this.url = url;
        }

        /** Where the database is, without the password. */
        public String url() {
            return url;
        }
    }

    /** The connection pool is too small for workers. */
    public static final class PoolTooSmall extends PgflowException {
        private final int connections;

        /** How many connections the pool gives, how many workers keep, and the pool's error, if any. */
        public PoolTooSmall(int connections, int needed, @Nullable Throwable cause) {
            super(
                    "the connection pool gives %d connections, and workers keep %d: make it at least that large, and larger by what else uses it"
                            .formatted(connections, needed),
                    cause);
            this.connections = connections;
        }

        /** How many it gives. */
        public int connections() {
            return connections;
        }
    }

    /** The JVM cannot run workers. */
    public static final class UnsupportedJava extends PgflowException {

        /** What is wrong with it and what to do, and what was thrown. */
        public UnsupportedJava(String reason, @Nullable Throwable cause) {
            super(reason, cause);
        }
    }

    /** A signal has stopped the workers before they were at work. */
    public static final class StoppedWhileStarting extends PgflowException {

        /** Nothing more is known. */
        public StoppedWhileStarting() {
            super("the workers were stopped while they were starting", null);
        }
    }

    /** The schema {@code pgflow} is missing, or older or newer than this release needs. */
    public static final class SchemaMismatch extends PgflowException {
        private final String found;
        private final String needed;

        /** What is there and what this release needs, as in "version 3", and what to do about it. */
        public SchemaMismatch(String found, String needed, String advice) {
            super("schema pgflow: found %s, needed %s. %s".formatted(found, needed, advice), null);
            this.found = found;
            this.needed = needed;
        }

        /** What is there. */
        public String found() {
            return found;
        }

        /** What this release needs. */
        public String needed() {
            return needed;
        }
    }

    /** No database is configured, and the embedded one cannot be used. */
    public static final class EmbeddedUnavailable extends PgflowException {

        /** Why not, what to do about it, and what was thrown, if anything. */
        public EmbeddedUnavailable(String reason, @Nullable Throwable cause) {
            super("embedded PostgreSQL: " + reason, cause);
        }
    }

    /** An option, set in code or by the environment, is out of range. */
    public static final class InvalidOption extends PgflowException {
        private final String option;
        private final String value;
        private final String allowed;

        /** The option's name where it was set, its value, and what it may be. */
        public InvalidOption(String option, String value, String allowed) {
            super("option %s is '%s'; allowed: %s".formatted(option, value, allowed), null);
            this.option = option;
            this.value = value;
            this.allowed = allowed;
        }

        /** The option's name where it was set. */
        public String option() {
            return option;
        }

        /** The value that it cannot have. */
        public String value() {
            return value;
        }

        /** What it may be. */
        public String allowed() {
            return allowed;
        }
    }

    /** A run that was waited for has failed. */
    public static final class RunFailed extends PgflowException {
        private final UUID run;
        private final String flow;
        private final @Nullable String step;
        private final String error;

        /** The run, its flow, the step that failed unless none did, and that step's error. */
        public RunFailed(UUID run, String flow, @Nullable String step, String error) {
            super(
                    "run %s of flow '%s' failed%s: %s"
                            .formatted(run, flow, step == null ? "" : " in step '" + step + "'", error),
                    null);
            this.run = run;
            this.flow = flow;
            this.step = step;
            this.error = error;
        }

        /** The run's id. */
        public UUID run() {
            return run;
        }

        /** The slug of its flow. */
        public String flow() {
            return flow;
        }

        /** The slug of the step that failed; empty if the run failed without one. */
        public Optional<String> step() {
            return Optional.ofNullable(step);
        }

        /** The error as it is stored. */
        public String error() {
            return error;
        }
    }

    /** A run that was waited for has not ended in time. It goes on. */
    public static final class RunUnfinished extends PgflowException {
        private final UUID run;
        private final Duration limit;

        /** The run, and how long it was waited for. */
        public RunUnfinished(UUID run, Duration limit) {
            super(
                    "run %s has not ended within %s. It goes on: wait again, or read its steps.".formatted(run, limit),
                    null);
            this.run = run;
            this.limit = limit;
        }

        /** The run's id. */
        public UUID run() {
            return run;
        }

        /** How long it was waited for. */
        public Duration limit() {
            return limit;
        }
    }

    /** There is no run of this id. */
    public static final class RunNotFound extends PgflowException {
        private final UUID run;

        /** The id that was asked for. */
        public RunNotFound(UUID run) {
            super(
                    "there is no run " + run + ": check the id, and that this is the database where it was started",
                    null);
            this.run = run;
        }

        /** The id that was asked for. */
        public UUID run() {
            return run;
        }
    }

    /** A flow of this slug is not in the database. */
    public static final class FlowNotFound extends PgflowException {
        private final String flow;

        /** The slug, and the database's error, if there was one. */
        public FlowNotFound(String flow, @Nullable Throwable cause) {
            super(
                    "flow '%s' is not in this database: start a worker that serves it, which compiles it, or run what its toSql() gives"
                            .formatted(flow),
                    cause);
            this.flow = flow;
        }

        /** The slug that was asked for. */
        public String flow() {
            return flow;
        }
    }

    /** The id that a run was to be started with is that of a run of another flow. */
    public static final class RunOfAnotherFlow extends PgflowException {
        private final UUID run;
        private final String flow;
        private final String other;

        /** The id, the flow it was asked for, the flow it is a run of, and the database's error. */
        public RunOfAnotherFlow(UUID run, String flow, String other, @Nullable Throwable cause) {
            super(
                    "run %s cannot be started for flow '%s': flow '%s' has a run of that id. Choose another id."
                            .formatted(run, flow, other),
                    cause);
            this.run = run;
            this.flow = flow;
            this.other = other;
        }

        /** The id. */
        public UUID run() {
            return run;
        }

        /** The slug of the flow that was to be started. */
        public String flow() {
            return flow;
        }

        /** The slug of the flow that the run belongs to. */
        public String other() {
            return other;
        }
    }

    /** The database user may not do what was asked for. */
    public static final class PermissionMissing extends PgflowException {

        /** What was refused, and what the database said, if it was asked. */
        public PermissionMissing(String refusal, @Nullable Throwable cause) {
            super(
                    "%s. The owner of schema pgflow can grant what is missing: select pgflow.grant_client('ROLE') for those who start and read runs, grant_worker for workers."
                            .formatted(refusal),
                    cause);
        }

        /** The same of a user that shall work. */
        public PermissionMissing(String refusal, String user, @Nullable Throwable cause) {
            super(
                    "%s, for user '%s'. Have the owner of schema pgflow run: select pgflow.grant_worker('%s')"
                            .formatted(refusal, user, user.replace("'", "''")),
                    cause);
        }
    }
}
