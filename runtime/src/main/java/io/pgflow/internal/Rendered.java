package io.pgflow.internal;

import java.util.List;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Result;
import org.jooq.ResultQuery;
import org.jooq.Select;
import org.jspecify.annotations.Nullable;

/**
 * A query whose text is made once, for those that somebody waits for: to make it at each call takes jOOQ longer than all else that it does there.
 *
 * @param sql the text, with question marks
 * @param fields what it selects
 */
record Rendered<R extends Record>(String sql, List<Field<?>> fields) {

    /** Of a query with parameters. */
    static <R extends Record> Rendered<R> of(Select<R> query) {
        return new Rendered<>(Jooq.sql(query), List.of(query.fields()));
    }

    /** Sends it; takes a value for each parameter, in the order of the text. */
    @SuppressWarnings("unchecked") // the number of fields makes the kind of record
    Result<R> fetch(DSLContext db, @Nullable Object... values) {
        return ((ResultQuery<R>) db.resultQuery(sql, values).coerce(fields)).fetch();
    }
}
