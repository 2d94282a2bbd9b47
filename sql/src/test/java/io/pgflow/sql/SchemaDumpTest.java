package io.pgflow.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.pgflow.sql.Migration.Outcome;
import io.pgflow.sql.Pgmq.Kind;
import io.pgflow.testing.EmptyDatabase;
import io.pgflow.testing.TestDatabases;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a change of the SQL files does to the schema is to be seen in review: in schema.txt, beside them. */
@ExtendWith(TestDatabases.class)
class SchemaDumpTest {
    private static final Path KEPT = Path.of("schema.txt");
    private static final String RENEW = "pgflow.renew.schema";
    private static final String HEADER = """
            The schema as it is installed, for review: a block for each object. Bodies of functions are in src/main/resources.
            A test compares; renew it by: ./mvnw -pl sql test -Dtest=SchemaDumpTest -D%s

            """.formatted(RENEW);

    @Test
    void migratingLeavesTheSchemaThatIsKept(DataSource migrated) throws Exception {
        assumeThat(Schema.describe(migrated).pgmq().map(Pgmq::kind)).contains(Kind.OURS);
        var dump = HEADER + SchemaDump.withoutBodies(SchemaDump.of(migrated));
        if (System.getProperty(RENEW) != null) {
            Files.writeString(KEPT, dump);
        }

        assertThat(Files.readString(KEPT))
                .as("%s of module sql is to be renewed, and its changes reviewed: see its second line", KEPT)
                .isEqualTo(dump);
    }

    @Test
    void theScriptInstallsWhatMigrateInstalls(@EmptyDatabase DataSource database, DataSource migrated)
            throws Exception {
        Sql.execute(database, Files.readString(Path.of("target/pgflow.sql")));

        assertThat(SchemaDump.of(database)).isEqualTo(SchemaDump.of(migrated)).contains("\n  body ");
        var history = "select concat_ws(' ', file, checksum, release) from pgflow.schema_history order by 1";
        assertThat(Sql.query(database, history)).isEqualTo(Sql.query(migrated, history));
        assertThat(Schema.migrate(database).outcome()).isEqualTo(Outcome.UNCHANGED);
    }
}
