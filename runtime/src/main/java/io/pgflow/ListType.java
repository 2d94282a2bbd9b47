package io.pgflow;

import java.lang.invoke.MethodType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The type {@code List<element>}, as it cannot be written with a class alone. */
record ListType(Type element) implements ParameterizedType {

    /** The list of a class's values; of a primitive, its box. */
    static ListType of(Class<?> element) {
        return new ListType(boxed(element));
    }

    /** The class itself, or the box of a primitive: {@code int.class} is a {@code Class<Integer>}, too. */
    static Class<?> boxed(Class<?> type) {
        return MethodType.methodType(type).wrap().returnType();
    }

    @Override
    public Type[] getActualTypeArguments() {
        return new Type[] {element};
    }

    @Override
    public Type getRawType() {
        return List.class;
    }

    @Override
    public @Nullable Type getOwnerType() {
        return null;
    }

    @Override
    public String getTypeName() {
        return "java.util.List<" + element.getTypeName() + ">";
    }

    @Override
    public String toString() {
        return getTypeName();
    }
}
