package io.pgflow.internal;

import io.pgflow.PgflowException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Where a PostgreSQL is, and as whom to connect. Written as the driver has it ({@code jdbc:postgresql://…}) or as libpq and most hosting
 * services have it ({@code postgresql://user:password@…}); each may have what the other has. As text it never shows a password.
 *
 * @param hosts at least one; the first that takes writes is used
 * @param database empty: the one named like the user
 * @param user the user of the operating system if null
 * @param password looked up in {@code ~/.pgpass} by the driver if null
 * @param parameters what else the driver shall know; overrides the settings of {@link #dataSource}
 */
record DatabaseUrl(
        List<Host> hosts,
        String database,
        @Nullable String user,
        @Nullable String password,
        Map<PGProperty, String> parameters) {

    /** A name or address, IPv6 in brackets, and its port. */
    record Host(String name, int port) {}

    private static final String FORMS = "jdbc:postgresql://HOST:PORT/DATABASE?PARAMETERS"
            + " or postgresql://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS (special characters percent-encoded)";

    // a password may have any @ but the last: people paste them as they are
    private static final Pattern URL = Pattern.compile("(?:jdbc:postgresql|postgresql|postgres)://"
            + "(?:(?<user>[^:@/?]*)(?::(?<password>[^/?]*))?@)?(?<hosts>[^@/?]*)"
            + "(?:/(?<database>[^/?]*))?(?:\\?(?<parameters>.*))?");

    private static final Pattern HOST = Pattern.compile("(?<name>\\[[^\\[\\]]+]|[^:\\[\\]]*)(?::(?<port>[0-9]{0,5}))?");

    /** Names that libpq has and the driver spells otherwise. */
    private static final Map<String, PGProperty> LIBPQ = Map.of(
            "application_name", PGProperty.APPLICATION_NAME,
            "channel_binding", PGProperty.CHANNEL_BINDING,
            "connect_timeout", PGProperty.CONNECT_TIMEOUT,
            "gssencmode", PGProperty.GSS_ENC_MODE,
            "require_auth", PGProperty.REQUIRE_AUTH,
            "sslnegotiation", PGProperty.SSL_NEGOTIATION,
            "target_session_attrs", PGProperty.TARGET_SERVER_TYPE);

    /** What the URL says before its parameters. */
    private static final Set<PGProperty> OTHER_PARTS =
            EnumSet.of(PGProperty.PG_HOST, PGProperty.PG_PORT, PGProperty.PG_DBNAME, PGProperty.SERVICE);

    DatabaseUrl {
        hosts = List.copyOf(hosts);
        parameters = Map.copyOf(parameters);
    }

    /**
     * Reads a URL.
     *
     * @param option what it was given as, for the error
     * @throws PgflowException.InvalidOption if it is neither of the forms; the value is told with passwords masked
     */
    static DatabaseUrl parse(String option, String value) {
        try {
            var url = URL.matcher(value.strip());
            if (!url.matches()) {
                throw new IllegalArgumentException("it has another form");
            }
            var parameters = parameters(url.group("parameters"), value);
            var user = parameters.remove(PGProperty.USER);
            var password = parameters.remove(PGProperty.PASSWORD);
            return new DatabaseUrl(
                    hosts(url.group("hosts")),
                    url.group("database") == null ? "" : decoded(url.group("database")),
                    user != null ? user : decodedUnlessEmpty(url.group("user")),
                    password != null ? password : decodedUnlessEmpty(url.group("password")),
                    parameters);
        } catch (IllegalArgumentException e) {
            throw new PgflowException.InvalidOption(option, masked(value), FORMS + ", but " + e.getMessage());
        }
    }

    /** The same, as another user or with another password where they are not null. */
    DatabaseUrl as(@Nullable String otherUser, @Nullable String otherPassword) {
        return new DatabaseUrl(
                hosts,
                database,
                otherUser != null ? otherUser : user,
                otherPassword != null ? otherPassword : password,
                parameters);
    }

    /** Opens a connection at each call, with the settings that suit an engine which keeps its connections. */
    PGSimpleDataSource dataSource() {
        var settings = new EnumMap<PGProperty, String>(PGProperty.class);
        settings.put(PGProperty.APPLICATION_NAME, "pgflow");
        settings.put(PGProperty.CONNECT_TIMEOUT, "5"); // seconds, for each host
        settings.put(PGProperty.PREPARE_THRESHOLD, "1"); // a few statements, sent for as long as the connection lives
        settings.put(PGProperty.TCP_KEEP_ALIVE, "true");
        if (PromptSockets.knownToDriver()) {
            settings.put(PGProperty.SOCKET_FACTORY, PromptSockets.class.getName());
        }
        if (hosts.size() > 1) {
            settings.put(PGProperty.TARGET_SERVER_TYPE, "primary"); // whatever we send writes
        }
        settings.putAll(parameters);
        var dataSource = new PGSimpleDataSource();
        dataSource.setServerNames(hosts.stream().map(Host::name).toArray(String[]::new));
        dataSource.setPortNumbers(hosts.stream().mapToInt(Host::port).toArray());
        if (!database.isEmpty()) {
            dataSource.setDatabaseName(database);
        }
        dataSource.setUser(user);
        dataSource.setPassword(password);
        settings.forEach(dataSource::setProperty);
        return dataSource;
    }

    /** The URL as the driver has it, with the user and without password and parameters. */
    @Override
    public String toString() {
        return hosts.stream()
                .map(host -> host.name() + ":" + host.port())
                .collect(Collectors.joining(
                        ",", "jdbc:postgresql://", "/" + database + (user == null ? "" : "?user=" + user)));
    }

    /** A value that may not be a URL at all, without what is or may be a password in it. */
    static String masked(String value) {
        var masked = value.replaceAll("(?is)(password\\s*=\\s*)('[^']*'|[^&\\s]*)", "$1***");
        return masked.contains("//")
                ? masked.replaceFirst("(?s)(//[^:@/?]*):.*@", "$1:***@")
                : masked.replaceFirst("(?s)^([^:@]*):.*@", "$1:***@");
    }

    private static List<Host> hosts(String text) {
        var hosts = new ArrayList<Host>();
        for (var part : text.split(",", -1)) {
            var host = HOST.matcher(part);
            if (!host.matches()) {
                throw new IllegalArgumentException(
                        "a host or port of it is not one (IPv6 addresses are put in brackets)");
            }
            var name = decoded(host.group("name"));
            if (name.startsWith("/")) {
                throw new IllegalArgumentException("its host is a Unix socket, which Java's driver cannot use");
            }
            var port = host.group("port") == null || host.group("port").isEmpty()
                    ? 5432
                    : Integer.parseInt(host.group("port"));
            if (port < 1 || port > 65535) {
                throw new IllegalArgumentException("a port of it is not in 1..65535");
            }
            hosts.add(new Host(name.isEmpty() ? "localhost" : name, port));
        }
        return hosts;
    }

    private static Map<PGProperty, String> parameters(@Nullable String text, String url) {
        var parameters = new EnumMap<PGProperty, String>(PGProperty.class);
        for (var part : text == null ? new String[0] : text.split("&")) {
            if (part.isEmpty()) {
                continue;
            }
            var equals = part.indexOf('=');
            var name = decoded(equals < 0 ? part : part.substring(0, equals));
            var value = equals < 0 ? "" : decoded(part.substring(equals + 1));
            var property = LIBPQ.getOrDefault(name, PGProperty.forName(name));
            if (property == null || OTHER_PARTS.contains(property)) {
                var shown = masked(url).contains(name) ? "'" + name + "'" : "one";
                throw new IllegalArgumentException(
                        shown + " is not a parameter of libpq or the driver that can be used here");
            }
            parameters.put(property, property == PGProperty.TARGET_SERVER_TYPE ? targetServerType(value) : value);
        }
        return parameters;
    }

    private static String targetServerType(String value) {
        return switch (value) {
            case "read-write" -> "primary";
            case "read-only", "standby" -> "secondary";
            case "prefer-standby" -> "preferSecondary";
            default -> value;
        };
    }

    private static @Nullable String decodedUnlessEmpty(@Nullable String text) {
        return text == null || text.isEmpty() ? null : decoded(text);
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8); // a plus is no blank here
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("a percent sign of it is not followed by two hexadecimal digits", e);
        }
    }
}
