package io.pgflow.sql;

import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;

/** What is in the schemas pgflow and pgmq, a line for each thing, so that two databases can be compared. */
final class SchemaContents {
    private static final String LINES = """
            with ours as (select oid, nspname from pg_namespace where nspname in ('pgflow', 'pgmq'))
            select concat_ws(' ', 'schema', nspname, nspacl, obj_description(oid, 'pg_namespace')) from ours join pg_namespace using (oid, nspname)
            union all
            select concat_ws(' ', 'relation', c.oid::regclass, c.relkind, c.relpersistence, c.relacl, c.reloptions, obj_description(c.oid, 'pg_class'))
            from pg_class c join ours on ours.oid = c.relnamespace
            union all
            select concat_ws(' ', 'column', c.oid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
              a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
            from pg_class c join ours on ours.oid = c.relnamespace
            join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
            union all
            select concat_ws(' ', 'constraint', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
            from pg_constraint k join ours on ours.oid = k.connamespace
            union all
            select concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid))
            from pg_index i join pg_class c on c.oid = i.indexrelid join ours on ours.oid = c.relnamespace
            union all
            select concat_ws(' ', 'function', pg_get_functiondef(p.oid), p.proacl, obj_description(p.oid, 'pg_proc'))
            from pg_proc p join ours on ours.oid = p.pronamespace
            union all
            select concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid))
            from pg_trigger t join pg_class c on c.oid = t.tgrelid join ours on ours.oid = c.relnamespace where not t.tgisinternal
            union all
            select concat_ws(' ', 'history', file, checksum, release) from pgflow.schema_history
            order by 1
            """;

    private SchemaContents() {}

    static List<String> of(DataSource database) throws SQLException {
        return Sql.query(database, LINES);
    }
}
