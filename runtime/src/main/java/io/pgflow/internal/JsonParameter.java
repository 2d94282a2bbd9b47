package io.pgflow.internal;

import java.io.Serial;
import java.sql.SQLException;
import java.sql.Types;
import org.jooq.BindingGetResultSetContext;
import org.jooq.BindingSetStatementContext;
import org.jooq.Converter;
import org.jooq.Converters;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.impl.AbstractBinding;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;

/**
 * A document that the server reads as JSON when it comes. jOOQ sends a text that is cast by the statement: with 100 MB that takes the server half as
 * long again.
 */
final class JsonParameter extends AbstractBinding<JSONB, JSONB> {
    @Serial
    private static final long serialVersionUID = 1;

    static Field<JSONB> of(JSONB json) {
        return DSL.val(json, SQLDataType.JSONB.asConvertedDataType(new JsonParameter()));
    }

    @Override
    public Converter<JSONB, JSONB> converter() {
        return Converters.identity(JSONB.class);
    }

    @Override
    public void set(BindingSetStatementContext<JSONB> context) throws SQLException {
        context.statement().setObject(context.index(), context.value().data(), Types.OTHER);
    }

    @Override
    public void get(BindingGetResultSetContext<JSONB> context) {
        throw new UnsupportedOperationException("a parameter is only sent");
    }
}
