package io.pgflow.sql;

import static java.util.stream.Collectors.joining;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What a database has of what PgFlow needs, as {@link Schema#describe} found it. As text it is a few lines to read.
 *
 * @param server the version of PostgreSQL, as {@code 18.6}
 * @param database its name
 * @param user who looked
 * @param pgflow how schema {@code pgflow} stands
 * @param pgmq the pgmq that is there; empty if there is none
 * @param offeredPgmq the version of the extension pgmq that the server offers; empty if it does not, or if it is installed
 * @param facilities the optional ones that are there
 */
public record SchemaReport(
        String server,
        String database,
        String user,
        Pgflow pgflow,
        Optional<Pgmq> pgmq,
        Optional<String> offeredPgmq,
        Set<Facility> facilities) {

    /** How schema {@code pgflow} stands. */
    public sealed interface Pgflow {}

    /** There is none: {@link Schema#migrate} installs it. */
    public record Absent() implements Pgflow {}

    /** Somebody else made it: {@link Schema#migrate} leaves it as it is. */
    public record Foreign() implements Pgflow {}

    /** PgFlow made it, and the user may not look at it: nobody granted it yet ({@code pgflow.grant_client}, {@code pgflow.grant_worker}). */
    public record Unreadable() implements Pgflow {}

    /**
     * PgFlow made it.
     *
     * @param release the newest release that has installed or upgraded it
     * @param standing how it stands to this release
     * @param outdated the files that {@link Schema#migrate} would apply; empty unless {@link Standing#OUTDATED}
     */
    public record Installed(String release, Standing standing, List<String> outdated) implements Pgflow {
        /** Refuses nulls, and copies. */
        public Installed {
            Objects.requireNonNull(release, "release");
            Objects.requireNonNull(standing, "standing");
            outdated = List.copyOf(outdated);
        }

        @Override
        public String toString() {
            var more = outdated.size() > 1 ? " and " + (outdated.size() - 1) + " more" : "";
            return "release " + release + ", "
                    + switch (standing) {
                        case CURRENT -> "up to date";
                        case OUTDATED -> "to be upgraded by " + outdated.getFirst() + more;
                        case NEWER -> "newer than this program, which can use it";
                        case TOO_NEW -> "too new for this program";
                    };
        }
    }

    /** How a schema stands to this release. */
    public enum Standing {
        /** It is as this release wants it. */
        CURRENT,
        /** {@link Schema#migrate} has files to apply. */
        OUTDATED,
        /** A newer release has been here, and left what this one needs: {@link Schema#migrate} changes nothing. */
        NEWER,
        /** A newer release has changed tables: {@link Schema#migrate} refuses it. */
        TOO_NEW
    }

    /** What PgFlow uses where it is there, and does without where it is not. */
    public enum Facility {
        /** Supabase's {@code realtime.send}, which is given the events of runs and steps. */
        REALTIME,
        /** The extension pg_cron, for jobs. */
        CRON,
        /** The extension pg_net, for {@code pgflow.ensure_workers}. */
        NET,
        /** Supabase's vault, for the same. */
        VAULT;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Refuses nulls, and copies. */
    public SchemaReport {
        Objects.requireNonNull(server, "server");
        Objects.requireNonNull(database, "database");
        Objects.requireNonNull(user, "user");
        Objects.requireNonNull(pgflow, "pgflow");
        Objects.requireNonNull(pgmq, "pgmq");
        Objects.requireNonNull(offeredPgmq, "offeredPgmq");
        facilities = Set.copyOf(facilities);
    }

    @Override
    public String toString() {
        return String.join(
                "\n",
                "PostgreSQL " + server + ", database " + database + ", user " + user,
                "schema pgflow: " + pgflowText(),
                pgmq.map(Pgmq::toString).orElse("no pgmq")
                        + offeredPgmq
                                .map(version -> "; the server offers the extension, version " + version)
                                .orElse(""),
                "optional: " + facilities(facilities::contains) + "; absent: "
                        + facilities(facility -> !facilities.contains(facility)));
    }

    private String pgflowText() {
        return switch (pgflow) {
            case Absent() -> "none";
            case Foreign() -> "made by others";
            case Unreadable() -> "made by PgFlow, but this user may not look at it";
            case Installed installed -> installed.toString();
        };
    }

    private static String facilities(Predicate<Facility> which) {
        var names = Arrays.stream(Facility.values())
                .filter(which)
                .map(Facility::toString)
                .collect(joining(", "));
        return names.isEmpty() ? "none" : names;
    }
}
