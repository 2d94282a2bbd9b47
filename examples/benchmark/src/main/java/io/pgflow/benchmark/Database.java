package io.pgflow.benchmark;

import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A database of a measurement's own. Closing it drops it, whoever is still connected.
 *
 * @param server where it is
 * @param name what it is called
 * @param dataSource gives a new connection each time
 */
public record Database(Server server, String name, PGSimpleDataSource dataSource) implements AutoCloseable {

    /** Opens a connection, which commits after each statement. */
    public Connection connect() {
        try {
            return dataSource.getConnection();
        } catch (SQLException e) {
            throw new IllegalStateException("no connection to database " + name, e);
        }
    }

    /** Runs a statement. */
    public void run(String sql) {
        try (var connection = connect();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /** What a query answers, of which there is one row with one column. */
    public String text(String sql) {
        try (var connection = connect();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            if (rows.next()) {
                return rows.getString(1);
            }
            throw new IllegalStateException(sql + " gave no row in database " + name);
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /** The same of a number. */
    public long number(String sql) {
        return Long.parseLong(text(sql));
    }

    /** Whether a condition holds. */
    public boolean is(String condition) {
        return text("select " + condition).equals("t");
    }

    private IllegalStateException failed(String sql, SQLException reason) {
        return new IllegalStateException(sql + " failed in database " + name, reason);
    }

    @Override
    public void close() {
        server.drop(name);
    }
}
