/** How flows are compiled into the database and how workers run their tasks; not exported, free to change. */
@NullMarked
package io.pgflow.internal;

import org.jspecify.annotations.NullMarked;
