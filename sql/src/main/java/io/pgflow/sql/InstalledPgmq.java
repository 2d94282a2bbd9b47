package io.pgflow.sql;

import io.pgflow.sql.Pgmq.Kind;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;

/** Looks which pgmq a database has. */
final class InstalledPgmq {
    private static final String MARK = "PgFlow SQL-only pgmq "; // pgmq.sql writes it into the comment on the schema

    /** One row, or none where there is no pgmq. What a file without a version can do tells how old it is at least. By the catalogs: it takes no rights. */
    private static final String LOOK = """
            select
              (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pgmq') as extension,
              obj_description(n.oid, 'pg_namespace') as comment,
              case
                when 'metrics_result.default_partition_length' = any (h.attributes) then '1.13.0'
                when 'update_notify_insert(text, integer)' = any (h.functions) then '1.11.0'
                when 'message_record.last_read_at' = any (h.attributes) then '1.10.0'
                when 'read_grouped(text, integer, integer)' = any (h.functions) then '1.9.0'
                when 'enable_notify_insert(text, integer)' = any (h.functions) then '1.8.0'
                when 'enable_notify_insert(text)' = any (h.functions) then '1.7.0'
                when 'acquire_queue_lock(text)' = any (h.functions) then '1.6.0'
                else '1.5.0'
              end as features
            from pg_catalog.pg_namespace n
            cross join lateral (
              select
                array(
                  select c.relname || '.' || a.attname
                  from pg_catalog.pg_class c
                  join pg_catalog.pg_attribute a on a.attrelid = c.oid
                  where c.relnamespace = n.oid
                    and c.relkind = 'c'
                ) as attributes,
                array(
                  select p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')'
                  from pg_catalog.pg_proc p
                  where p.pronamespace = n.oid
                ) as functions
            ) h
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
