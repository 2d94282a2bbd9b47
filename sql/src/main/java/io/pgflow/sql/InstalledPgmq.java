package io.pgflow.sql;

import io.pgflow.sql.Pgmq.Kind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;

/** Looks which pgmq a database has. */
final class InstalledPgmq {
    private static final String MARK = "PgFlow SQL-only pgmq "; // pgmq.sql writes it into the comment on the schema

    /** One row, or none where there is no pgmq. What a file without a version can do tells how old it is at least. */
    private static final String LOOK = """
            select
              (select e.extversion from pg_extension e where e.extname = 'pgmq') as extension,
              obj_description(n.oid, 'pg_namespace') as comment,
              case
                when exists (
                  select from pg_attribute a
                  where a.attrelid = to_regclass('pgmq.metrics_result') and a.attname = 'default_partition_length') then '1.13.0'
                when to_regprocedure('pgmq.update_notify_insert(text,integer)') is not null then '1.11.0'
                when exists (
                  select from pg_attribute a
                  where a.attrelid = to_regclass('pgmq.message_record') and a.attname = 'last_read_at') then '1.10.0'
                when to_regprocedure('pgmq.read_grouped(text,integer,integer)') is not null then '1.9.0'
                when to_regprocedure('pgmq.enable_notify_insert(text,integer)') is not null then '1.8.0'
                when to_regprocedure('pgmq.enable_notify_insert(text)') is not null then '1.7.0'
                when to_regprocedure('pgmq.acquire_queue_lock(text)') is not null then '1.6.0'
                else '1.5.0'
              end as features
            from pg_namespace n
            where n.nspname = 'pgmq'
            """;

    private InstalledPgmq() {}

    static Optional<Pgmq> find(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(LOOK)) {
            if (!row.next()) {
                return Optional.empty();
            }
            var extension = row.getString("extension");
            var comment = row.getString("comment");
            if (extension != null) {
                return Optional.of(new Pgmq(Kind.EXTENSION, extension));
            }
            return Optional.of(
                    comment != null && comment.startsWith(MARK)
                            ? new Pgmq(Kind.OURS, comment.substring(MARK.length()))
                            : new Pgmq(Kind.OTHER_SQL, row.getString("features")));
        }
    }
}
