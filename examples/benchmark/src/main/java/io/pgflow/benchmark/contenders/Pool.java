package io.pgflow.benchmark.contenders;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pgflow.benchmark.Database;

/** The connections of a contender that brings no pool of its own. */
final class Pool {

    private Pool() {}

    static HikariDataSource of(Database database, int connections) {
        var config = new HikariConfig();
        config.setDataSource(database.dataSource());
        config.setMaximumPoolSize(connections);
        return new HikariDataSource(config);
    }
}
