package io.pgflow.testing;

import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A role of its own on the tests' server, which may log in and has no rights yet. Closing drops it with the rights and things it has in this database. */
public final class LoginRole implements AutoCloseable {
    private final PGSimpleDataSource database;
    private final String name;
    private final String password = UUID.randomUUID().toString();

    /**
     * Creates it.
     *
     * @param database by its administrator, who may create roles
     */
    public LoginRole(PGSimpleDataSource database) {
        this.database = database;
        name = "pgflow Test-" + password.substring(0, 8); // to be quoted
        execute(database, "create role \"" + name + "\" login password '" + password + "'");
    }

    /** Its name. */
    public String name() {
        return name;
    }

    /** Its password. */
    public String password() {
        return password;
    }

    /** The database, by this role. */
    public PGSimpleDataSource dataSource() {
        var own = new PGSimpleDataSource();
        own.setUrl(database.getURL());
        own.setUser(name);
        own.setPassword(password);
        return own;
    }

    @Override
    public void close() {
        execute(database, "drop owned by \"" + name + "\" cascade; drop role \"" + name + "\"");
    }

    private static void execute(DataSource database, String sql) {
        try (var connection = database.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
